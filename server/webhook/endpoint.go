package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	headerKey       = "X-Pusher-Key"
	headerSignature = "X-Pusher-Signature"
)

const (
	// maxBody is where a batch ends, however many events wait: nginx in front of a backend takes 1 MiB.
	maxBody = 256 << 10
	// maxAnswer is how much of an answer is read so that its connection can be used again.
	maxAnswer = 64 << 10
)

// endpointKind is what ids of endpoints, and the keys made of them, begin with.
const endpointKind = "endpoint"

// endpoint is the destination of an Endpoint.
type endpoint struct {
	cfg    Endpoint
	name   string
	header http.Header
	client *http.Client
	opts   *Options
}

func newEndpoint(cfg Endpoint, o *Options) *endpoint {
	e := &endpoint{cfg: cfg, name: withoutSecrets(cfg.URL), header: make(http.Header), opts: o}
	e.header.Set("User-Agent", "reverb-go")
	for name, value := range cfg.Headers {
		e.header.Set(name, value)
	}
	// Node's and Ruby's libraries refuse the type with a charset.
	e.header.Set("Content-Type", "application/json")
	e.client = &http.Client{Transport: o.Transport, CheckRedirect: stayHere}
	return e
}

// stayHere lets nobody send an app's events elsewhere than configured, nor turn the POST into a GET.
func stayHere(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newTransport returns one that gives up on receivers sooner than http's own.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = maxAnswer
	return t
}

// withoutSecrets leaves out the parts of a URL where people put tokens.
func withoutSecrets(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "?"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func (e *endpoint) id() string { return endpointKind + " " + e.cfg.URL }

func (e *endpoint) String() string { return e.name }

func (e *endpoint) patience() time.Duration { return e.opts.RetryFor }

func (e *endpoint) interval() time.Duration {
	if e.cfg.Unbatched {
		return 0
	}
	return e.opts.Interval
}

// pack signs with the secret that the app had when the last of the events happened.
func (e *endpoint) pack(now time.Time, records []*record) parcel {
	if e.cfg.Unbatched {
		records = records[:1]
	}
	p := parcel{created: now}
	p.body, p.events = appendBody(nil, now, records)
	app := records[p.events-1].app
	p.key, p.signature = app.Key, sign(p.body, app.Secret)
	return p
}

// appendBody appends the body of a request with the first of the records, or more, and says with how many.
func appendBody(dst []byte, now time.Time, records []*record) (body []byte, n int) {
	dst = strconv.AppendInt(append(dst, `{"time_ms":`...), now.UnixMilli(), 10)
	dst = append(dst, `,"events":[`...)
	for i, r := range records {
		end := len(dst)
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendEvent(dst, &r.event)
		if i > 0 && len(dst) > maxBody {
			dst = dst[:end]
			break
		}
		n++
	}
	return append(dst, `]}`...), n
}

func sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (e *endpoint) send(ctx context.Context, p parcel) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.cfg.URL, bytes.NewReader(p.body))
	if err != nil {
		return errors.New("the url cannot be requested") // err has its secrets
	}
	req.Header = e.header.Clone()
	req.Host = e.header.Get("Host")
	req.Header.Set(headerKey, p.key)
	req.Header.Set(headerSignature, p.signature)
	resp, err := e.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	io.CopyN(io.Discard, resp.Body, maxAnswer)
	return statusError(resp.StatusCode)
}

// withoutURL takes out of err the URL that http.Client puts into it.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// statusError returns nil for the answers that are a success: all of 2xx, as with Pusher.
func statusError(status int) error {
	switch status / 100 {
	case 2:
		return nil
	case 3:
		return fmt.Errorf("HTTP status %d; hint: redirects are not followed, configure the url they lead to", status)
	}
	return fmt.Errorf("HTTP status %d", status)
}
