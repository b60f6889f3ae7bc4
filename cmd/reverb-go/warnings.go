package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// fewFiles is a limit of open files, and so of connections, that a busy server runs into.
const fewFiles = 10_000

// warnings are what is likely not meant, though it works. openFiles is the limit; 0 is none.
func warnings(cfg *config.Config, secure bool, openFiles uint64) []config.Problem {
	list := slices.Clone(cfg.Warnings)
	if openFiles > 0 && openFiles < fewFiles {
		list = append(list, config.Problem{
			Sentence: fmt.Sprintf("only %d files may be open, and each connection is one", openFiles),
			Hint:     `raise the limit: "ulimit -n" in a shell, LimitNOFILE= in systemd, minfds in Supervisor`,
		})
	}
	if cfg.ProxyProtocol && len(cfg.TrustedProxies) == 0 && !cfg.TrustUnix {
		list = append(list, config.Problem{
			Sentence: "the PROXY protocol is on, but no proxy is trusted, so it is spoken with nobody",
			Hint:     "set REVERB_GO_TRUSTED_PROXIES to the addresses of the proxies",
		})
	}
	if cfg.RedisPrefix == "" && slices.ContainsFunc(cfg.Apps, pushesToRedis) {
		list = append(list, config.Problem{
			Sentence: "events go to Redis keys without a prefix, and Laravel's keys usually have one",
			Hint:     `set REDIS_PREFIX to what config('database.redis.options.prefix') is in the app`,
		})
	}
	for _, a := range cfg.Apps {
		list = append(list, credentialWarnings(a)...)
		list = append(list, addressWarnings(cfg, a, secure)...)
	}
	return list
}

func pushesToRedis(a config.App) bool { return len(a.Hooks.Jobs)+len(a.Hooks.Streams) > 0 }

// exampleWords are keys and secrets of manuals and of other servers' defaults, which everybody knows.
var exampleWords = []string{"my-app-key", "my-app-secret", "app-key", "app-secret", "laravel-herd", "secret", "your-app-key", "your-app-secret"}

func credentialWarnings(a config.App) []config.Problem {
	for _, c := range []struct{ what, value string }{{"key", a.Key}, {"secret", a.Secret}} {
		if slices.Contains(exampleWords, c.value) {
			return []config.Problem{{
				Sentence: fmt.Sprintf("the %s of app %q is one that everybody knows from examples", c.what, a.ID),
				Hint:     `make up another one, for instance with "openssl rand -hex 16"`,
			}}
		}
	}
	return nil
}

const addressHint = "REVERB_HOST, REVERB_PORT and REVERB_SCHEME say where browsers find the server, REVERB_SERVER_HOST and REVERB_SERVER_PORT where it listens"

// addressWarnings compares where browsers are sent with where the server listens. What is between the two,
// such as nginx, cannot be known, so only what is wrong with and without it is told.
func addressWarnings(cfg *config.Config, a config.App, secure bool) []config.Problem {
	port := strconv.Itoa(cfg.Port)
	where := a.Scheme + "://" + a.Host + ":" + a.Port
	sentence := ""
	switch {
	case a.Host == "":
		return nil // an app that says nothing to browsers
	case cfg.Host == config.HostOff || len(cfg.Listen) > 0:
		return nil // which of the addresses is for browsers is not known
	case isUnspecified(a.Host):
		sentence = fmt.Sprintf("browsers are sent to the host %s, which is an address to listen on and none to connect to", a.Host)
	case a.Port == port && a.Scheme == "https" && !secure:
		sentence = fmt.Sprintf("browsers are sent to %s, where this server listens without a certificate", where)
	case a.Port == port && a.Scheme == "http" && secure:
		sentence = fmt.Sprintf("browsers are sent to %s, where this server expects TLS", where)
	case isLoopback(a.Host) && a.Port != port && a.Port != "80" && a.Port != "443":
		sentence = fmt.Sprintf("browsers are sent to %s, and this server listens on port %s", where, port)
	default:
		return nil
	}
	return []config.Problem{{Sentence: printable(sentence), Hint: addressHint}}
}

func isUnspecified(host string) bool {
	host = strings.Trim(host, "[]")
	return host == "0.0.0.0" || host == "::"
}
