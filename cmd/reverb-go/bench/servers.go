package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

const ownServerHint = "a load test is an attack on any server but your own; if it is, say so with --yes-i-own-this-server"

// servers returns the servers to be tested, found and allowed.
func (o *options) servers(ctx context.Context) ([]target.Target, error) {
	all, err := o.parseServers()
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for i := range all {
		t := &all[i]
		o.complete(t)
		if err := t.Check(); err != nil {
			return nil, usageError(err, "give --app-id, --key and --secret, or a URL such as ws://key:secret@host:port/app-id")
		}
		if err := t.CheckMetrics(); err != nil {
			return nil, usageError(err, "such as http://127.0.0.1:9090/metrics")
		}
		if names[t.Name] {
			return nil, usageError(fmt.Errorf("two servers are called %q", t.Name), "--compare takes NAME=URL with different names")
		}
		names[t.Name] = true
		if err := t.Resolve(ctx); err != nil {
			return nil, usageError(err, "is the name of the server right?")
		}
		if err := t.Allow(o.ownServer); err != nil {
			return nil, usageError(err, ownServerHint)
		}
	}
	return all, nil
}

func (o *options) parseServers() (all []target.Target, err error) {
	switch {
	case o.url == "" && len(o.compare) == 0:
		return nil, usageError(errors.New("which server?"), "--url ws://127.0.0.1:8080, or --compare NAME=URL for several")
	case o.url != "" && len(o.compare) > 0:
		return nil, usageError(errors.New("--url is for one server and --compare for several"), "give the first one as --compare too")
	case o.url != "":
		t, err := target.Parse("", o.url)
		if err != nil {
			return nil, usageError(err, "such as ws://127.0.0.1:8080")
		}
		t.PID, t.Metrics = cmp.Or(o.pid, t.PID), cmp.Or(o.metricsURL, t.Metrics)
		return []target.Target{t}, nil
	case o.pid != 0 || o.metricsURL != "":
		return nil, usageError(errors.New("--pid and --metrics-url are for one server"), "to compare, put them into the URLs: ws://…?pid=123")
	}
	for _, text := range o.compare {
		name, url, ok := strings.Cut(text, "=")
		if !ok || name == "" || strings.Contains(name, "/") {
			return nil, usageError(errors.New("--compare takes NAME=URL"), "such as ours=ws://key:secret@127.0.0.1:8080/app-id")
		}
		t, err := target.Parse(name, url)
		if err != nil {
			return nil, usageError(err, "such as ours=ws://key:secret@127.0.0.1:8080/app-id?pid=123")
		}
		all = append(all, t)
	}
	return all, nil
}

// complete fills in what the URL does not say.
func (o *options) complete(t *target.Target) {
	t.AppID = cmp.Or(t.AppID, o.appID, os.Getenv("REVERB_APP_ID"))
	t.Key = cmp.Or(t.Key, o.key, os.Getenv("REVERB_APP_KEY"))
	t.Secret = cmp.Or(t.Secret, o.secret, os.Getenv("REVERB_APP_SECRET"))
	t.Insecure = o.insecure
}
