package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

// addTargetFlags adds the options that say which server to speak to, and as which app.
func addTargetFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("url", "", "The server, such as https://ws.example.com; without it REVERB_HOST, REVERB_PORT and REVERB_SCHEME say where it is")
	f.String("app", "", "The id or key of the app, if there are several")
	f.Bool("insecure", false, "Believe any certificate")
	addFileFlags(cmd)
}

// loadTarget finds the server for a command with addTargetFlags.
func loadTarget(cmd *cobra.Command) (*pusher.Server, error) {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return nil, err
	}
	if err := readStoredApps(cmd.Context(), cfg); err != nil {
		return nil, err
	}
	app, err := chooseApp(cfg, flag(cmd, "app"))
	if err != nil {
		return nil, err
	}
	address, err := targetURL(cfg, app, flag(cmd, "url"))
	if err != nil {
		return nil, err
	}
	signer, err := auth.NewApp(app.App)
	if err != nil {
		return nil, unusable(err)
	}
	s := &pusher.Server{URL: address, App: signer}
	if isSet(cmd, "insecure") {
		s.TLS = &tls.Config{InsecureSkipVerify: true} // as asked for
	}
	return s, nil
}

// readStoredApps puts the apps of the database in place of those of the configuration, if the server does so.
func readStoredApps(ctx context.Context, cfg *config.Config) error {
	if cfg.AppTable.Provider != config.AppsFromSQL {
		return nil
	}
	store, err := openStore(cfg)
	if err != nil {
		return err
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(ctx, appsTimeout)
	defer cancel()
	records, err := store.List(ctx)
	if err != nil {
		return explainApps(err)
	}
	var where config.App // the server is in one place for all
	if len(cfg.Apps) > 0 {
		where = cfg.Apps[0]
	}
	cfg.Apps = nil
	for _, r := range records {
		if !r.PreviousSecretExpiresAt.IsZero() && time.Now().After(r.PreviousSecretExpiresAt) {
			r.PreviousSecret = ""
		}
		cfg.Apps = append(cfg.Apps, config.App{App: r.App, Host: where.Host, Port: where.Port, Scheme: where.Scheme})
	}
	return nil
}

// maxNames is how many apps an error lists.
const maxNames = 10

// chooseApp returns the app with an id or key; without one there must be no choice.
func chooseApp(cfg *config.Config, name string) (config.App, error) {
	var names []string
	for _, a := range cfg.Apps {
		if name != "" && (a.ID == name || a.Key == name) || name == "" && len(cfg.Apps) == 1 {
			return a, nil
		}
		names = append(names, a.ID)
	}
	list := strings.Join(names[:min(len(names), maxNames)], ", ")
	switch {
	case len(names) == 0:
		return config.App{}, &config.Problem{Sentence: "no app is configured", Hint: "REVERB_APP_ID, REVERB_APP_KEY and REVERB_APP_SECRET say who signs; start prints those of its throw-away app"}
	case name == "":
		return config.App{}, &config.Problem{Sentence: fmt.Sprintf("there are %d apps", len(names)), Hint: "choose one with --app: " + list}
	}
	return config.App{}, &config.Problem{Sentence: fmt.Sprintf("no app has the id or key %q", name), Hint: "the configured ids are " + list}
}

// targetURL is where Laravel and browsers find the server, unless said otherwise. An app that says nothing of that
// is looked for where the server of this configuration listens.
func targetURL(cfg *config.Config, app config.App, said string) (*url.URL, error) {
	switch {
	case said != "":
		return parseTarget(said)
	case app.Host != "":
		return &url.URL{Scheme: app.Scheme, Host: hostPort(app.Scheme, hostOf(app.Host), app.Port), Path: routePrefix(cfg.Path)}, nil
	}
	return localURL(cfg)
}

// localURL is where the server of this configuration can be reached from this machine.
func localURL(cfg *config.Config) (*url.URL, error) {
	secure, err := isSecure(cfg)
	if err != nil {
		return nil, err
	}
	a := cfg.First()
	if a.Network == "unix" {
		return nil, &config.Problem{Sentence: fmt.Sprintf("the server listens on %s, which this command cannot use", a), Hint: "--url says where else it is reached"}
	}
	e := endpoint{path: cfg.Path}
	if secure && a.TLS != config.Never {
		e.tls = new(tls.Config)
	}
	host, port, _ := net.SplitHostPort(a.Address)
	e.host = host
	e.port, _ = strconv.Atoi(port)
	if e.host == "" || isUnspecified(e.host) {
		e.host = throwAwayHost
	}
	return url.Parse(e.url())
}

// hostPort leaves out the port that the scheme has anyway.
func hostPort(scheme, host, port string) string {
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}

func parseTarget(said string) (*url.URL, error) {
	const hint = "write it as http://127.0.0.1:8080 or https://ws.example.com"
	u, err := url.Parse(said)
	schemes := map[string]string{"ws": "http", "wss": "https", "http": "http", "https": "https"}
	switch {
	case err != nil: // which repeats it
		return nil, &config.Problem{Sentence: "--url is no URL", Hint: hint}
	case u.User != nil:
		return nil, &config.Problem{Sentence: "--url has credentials in it, which everybody on this machine can read", Hint: "REVERB_APP_KEY and REVERB_APP_SECRET, or --config, say who signs"}
	case schemes[u.Scheme] == "" || u.Hostname() == "":
		return nil, &config.Problem{Sentence: fmt.Sprintf("--url is %q, which is no address of a server", said), Hint: hint}
	}
	return &url.URL{Scheme: schemes[u.Scheme], Host: u.Host, Path: routePrefix(u.Path)}, nil
}

// ask makes a signed request, and puts what goes wrong into words.
func ask(ctx context.Context, s *pusher.Server, method, path string, parameters url.Values, body []byte) ([]byte, error) {
	answer, err := s.Do(ctx, method, path, parameters, body)
	if err == nil && !json.Valid(answer) { // some page
		err = &pusher.StatusError{Status: http.StatusOK, Body: answer}
	}
	if err != nil {
		return nil, targetProblem(s, err)
	}
	return answer, nil
}

// A targetError is an error of package pusher in words for people.
type targetError struct {
	*failure
	cause error
}

func (e *targetError) Unwrap() []error { return []error{e.failure, e.cause} }

func targetProblem(s *pusher.Server, err error) error {
	sentence, hint := describe(s, err)
	return &targetError{&failure{config.Problem{Sentence: printable(sentence), Hint: hint}}, err}
}

func describe(s *pusher.Server, err error) (sentence, hint string) {
	var status *pusher.StatusError
	if errors.As(err, &status) {
		return fmt.Sprintf("%s answers %v", s.URL, status), statusHint(status.Status)
	}
	var closed *pusher.CloseError
	var refused *pusher.HandshakeError
	hint = "is it running? --url says where; REVERB_HOST, REVERB_PORT and REVERB_SCHEME do otherwise"
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &closed):
		hint = closeHint(closed.Code)
	case errors.As(err, &refused):
		hint = `"reverb-go doctor" finds out what is in between`
	case errors.As(err, &certificate):
		hint = "--insecure believes any certificate"
	}
	return fmt.Sprintf("%s cannot be used: %s", s.URL, pusher.Reason(err)), hint
}

func statusHint(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "are key and secret those of the server, and is this machine's clock right?"
	case http.StatusNotFound:
		return "is it the right server, and does it have an app with this id?"
	case http.StatusForbidden:
		return "the app is disabled there"
	case http.StatusTooManyRequests:
		return "wait a second"
	case http.StatusUnprocessableEntity, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return ""
	}
	if slices.Contains([]int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, status) {
		return "the server behind this proxy does not answer: is it running?"
	}
	return `"reverb-go doctor" finds out what is in between`
}

func closeHint(code int) string {
	switch code {
	case 4001:
		return "the server has no app with this key: is it the right server?"
	case 4003:
		return "the app is disabled there"
	case 4004:
		return "REVERB_APP_MAX_CONNECTIONS is the quota"
	case 4009:
		return "allowed_origins names the origins"
	}
	return ""
}
