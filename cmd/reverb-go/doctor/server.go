package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

// checkServer asks the server itself, without whatever is in front of it.
func checkServer(ctx context.Context, r *report, p Patient) {
	if p.Local == nil {
		return
	}
	_, header, err := p.Local.Get(ctx, "/up")
	var status *pusher.StatusError
	switch {
	case errors.As(err, &status):
		r.problem(fmt.Sprintf("what listens on %s is another server, or has another path: it answers %d to /up", p.Local.URL, status.Status), "is another program on that port? REVERB_SERVER_PORT and REVERB_SERVER_PATH say where it belongs")
	case err != nil:
		r.warn(fmt.Sprintf("no server answers on %s: %s", p.Local.URL, pusher.Reason(err)), `start it with "reverb-go start"; if it runs elsewhere, this says nothing about it`)
	default:
		r.ok(fmt.Sprintf("the server answers on %s", p.Local.URL))
		checkDate(r, "the server", header, p.Now())
	}
}

// checkBackends publishes nothing, but asks what only who knows the secret may ask.
func checkBackends(ctx context.Context, r *report, p Patient) {
	for _, a := range p.Apps {
		if a.Backend != nil {
			checkBackend(ctx, r, a, p.Now)
		}
	}
}

func checkBackend(ctx context.Context, r *report, a App, now func() time.Time) {
	body, err := a.Backend.Do(ctx, http.MethodGet, "/connections", nil, nil)
	if err == nil && !isCount(body) {
		err = &pusher.StatusError{Status: http.StatusOK, Body: body}
	}
	var status *pusher.StatusError
	if err == nil {
		r.ok(fmt.Sprintf("app %q is answered at %s, where Laravel publishes", a.ID, a.Backend.URL))
		_, header, _ := a.Backend.Get(ctx, "/up") // whatever it answers, it has a date
		checkDate(r, a.Backend.URL.Host, header, now())
		return
	}
	sentence, fix := fmt.Sprintf("Laravel cannot publish for app %q at %s: %s", a.ID, a.Backend.URL, pusher.Reason(err)), dialFix(err)
	if errors.As(err, &status) {
		checkDate(r, a.Backend.URL.Host, status.Header, now())
		fix = apiFix(a, status)
	}
	r.problem(sentence, fix)
}

// isCount reports whether an answer is that of a Pusher server, and not some page.
func isCount(body []byte) bool {
	var answer struct{ Connections *json.Number }
	return json.Unmarshal(body, &answer) == nil && answer.Connections != nil
}

func apiFix(a App, status *pusher.StatusError) string {
	switch status.Status {
	case http.StatusUnauthorized:
		return "the server there has another secret for this app, or a clock that is wrong: compare REVERB_APP_SECRET, and restart the server after a change"
	case http.StatusNotFound:
		return fmt.Sprintf("either the server there does not know app %q, or something else answers: a proxy has to pass on %s/apps/ as well as %s/app/", a.ID, a.Backend.URL.Path, a.Backend.URL.Path)
	case http.StatusForbidden:
		return "the app is disabled there, or a proxy lets nobody in"
	}
	return statusFix(status.Status, status.Header, string(status.Body))
}

// checkBrowsers connects as browsers do.
func checkBrowsers(ctx context.Context, r *report, p Patient) {
	for _, a := range p.Apps {
		if a.Browser != nil {
			checkBrowser(ctx, r, a, p.Now)
		}
	}
}

func checkBrowser(ctx context.Context, r *report, a App, now func() time.Time) {
	origin := originFor(a)
	c, err := a.Browser.Connect(ctx, pusher.Options{Origin: origin})
	if err != nil {
		r.problem(fmt.Sprintf("browsers cannot connect to app %q at %s: %s", a.ID, a.Browser.URL, pusher.Reason(err)), connectFix(a, err))
		return
	}
	defer c.Close()
	r.ok(fmt.Sprintf("browsers can connect to app %q at %s", a.ID, a.Browser.URL))
	if cert := c.Certificate(); cert != nil {
		judgeCertificate(r, "the certificate of "+a.Browser.URL.Host, cert, now())
	}
}

// checkIdle keeps a connection silent to each address.
func checkIdle(ctx context.Context, r *report, p Patient) {
	if p.Patience == 0 || hasTrouble(p.Apps) {
		return
	}
	seen := make(map[string]bool)
	for _, a := range p.Apps {
		if address := a.Browser.URL.String(); !seen[address] {
			seen[address] = true
			checkSilence(ctx, r, a, p)
		}
	}
}

func hasTrouble(apps []App) bool {
	for _, a := range apps {
		if a.Browser == nil {
			return true
		}
	}
	return len(apps) == 0
}

// slack is what a client's ping may take until it has passed a proxy.
const slack = 5 * time.Second

// checkSilence says nothing for a while. Pings of the server are answered, as any client would.
func checkSilence(ctx context.Context, r *report, a App, p Patient) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := a.Browser.Connect(ctx, pusher.Options{Origin: originFor(a), Quiet: true})
	if err != nil {
		return // which checkBrowsers has told
	}
	defer c.Close()
	defer time.AfterFunc(p.Patience, cancel).Stop()
	start := p.Now()
	for err == nil {
		_, err = c.Next()
	}
	lasted := p.Now().Sub(start).Round(time.Second)
	const fix = "give the proxy more time: proxy_read_timeout and proxy_send_timeout in nginx, timeout tunnel in HAProxy, the idle timeout of a load balancer; \"reverb-go setup nginx\" prints a configuration that fits"
	switch {
	case ctx.Err() != nil:
		r.ok(fmt.Sprintf("a silent connection to %s lasts for %s at least", a.Browser.URL.Host, p.Patience))
	case lasted < a.ActivityTimeout+slack:
		r.problem(fmt.Sprintf("a silent connection to %s was cut after %s (%s), before clients ping", a.Browser.URL.Host, lasted, pusher.Reason(err)), fix)
	default:
		r.warn(fmt.Sprintf("a silent connection to %s was cut after %s (%s); pusher-js pings before that, other clients may not", a.Browser.URL.Host, lasted, pusher.Reason(err)), fix)
	}
}
