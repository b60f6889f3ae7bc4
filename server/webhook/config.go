package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/reverb-go/reverb-go/channels"
)

// Config says where the events of each app go, by app id.
type Config map[string]Destinations

// Destinations are the places that get the events of one app.
type Destinations struct {
	Endpoints []Endpoint
	Jobs      []Jobs
	Streams   []Stream
}

// An Endpoint is a URL to which events are posted in Pusher's format.
type Endpoint struct {
	URL       string
	Events    []channels.EventName // which to send; none means all
	Channels  []string             // names to send them of, "*" standing for any run of characters; none means all
	Headers   map[string]string    // sent along; they cannot replace Pusher's
	Unbatched bool                 // one event in a request
}

// Jobs is a Redis queue of a Laravel app that gets one job for each event.
type Jobs struct {
	Queue      string // default
	Class      string // of the job, such as App\Jobs\ReverbEvent
	Events     []channels.EventName
	Channels   []string
	Connection string // which Redis, a name that Options.Redis knows
}

// A Stream is a Redis stream that gets one entry for each event.
type Stream struct {
	Key        string
	MaxLen     int64 // entries that Redis is to keep, roughly; 100,000
	Events     []channels.EventName
	Channels   []string
	Connection string // which Redis, a name that Options.Redis knows
}

const (
	defaultQueue  = "default"
	defaultMaxLen = 100_000
)

// Validate returns the first fault as a sentence with a hint.
func (c Config) Validate() error {
	for id, d := range c {
		if err := d.validate(); err != nil {
			return fmt.Errorf("webhooks of app %q: %w", id, err)
		}
	}
	return nil
}

func (d Destinations) validate() error {
	for _, e := range d.Endpoints {
		if err := errors.Join(e.validate(), validateFilter(e.Events, e.Channels)); err != nil {
			return err
		}
	}
	for _, j := range d.Jobs {
		if err := errors.Join(j.validate(), validateFilter(j.Events, j.Channels)); err != nil {
			return err
		}
	}
	for _, s := range d.Streams {
		if err := errors.Join(s.validate(), validateFilter(s.Events, s.Channels)); err != nil {
			return err
		}
	}
	return nil
}

func (e Endpoint) validate() error {
	u, err := url.Parse(e.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("a url is not one of a web server; hint: it begins with https:// or http:// and a host")
	}
	for name, value := range e.Headers {
		if !headerName.MatchString(name) || strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Errorf("%q is not a header; hint: write name and value as in Authorization: \"Bearer …\"", name)
		}
		if reservedHeaders[http.CanonicalHeaderKey(name)] {
			return fmt.Errorf("the header %s is set by reverb-go; hint: leave it out", http.CanonicalHeaderKey(name))
		}
	}
	return nil
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// reservedHeaders are those that receivers verify, and those that belong to the connection.
var reservedHeaders = map[string]bool{
	"Content-Type": true, headerKey: true, headerSignature: true,
	"Content-Length": true, "Transfer-Encoding": true, "Connection": true,
}

func (j Jobs) validate() error {
	if !className.MatchString(j.Class) {
		return fmt.Errorf(`%q is not the name of a PHP class; hint: write it as App\Jobs\ReverbEvent`, j.Class)
	}
	return nil
}

// className is a PHP class with its namespaces, as ::class gives it.
var className = regexp.MustCompile(`^[A-Za-z_\x{80}-\x{10ffff}][A-Za-z0-9_\x{80}-\x{10ffff}]*(\\[A-Za-z_\x{80}-\x{10ffff}][A-Za-z0-9_\x{80}-\x{10ffff}]*)*$`)

func (s Stream) validate() error {
	if s.Key == "" {
		return errors.New("a stream has no key; hint: name it, such as reverb:events")
	}
	if s.MaxLen < 0 {
		return fmt.Errorf("the stream %q cannot keep %d entries; hint: leave max_len out for %d", s.Key, s.MaxLen, defaultMaxLen)
	}
	return nil
}

func validateFilter(events []channels.EventName, patterns []string) error {
	for _, name := range events {
		if setOf(name) == 0 {
			return fmt.Errorf("there is no event %q; hint: the events are %s", name, allNames())
		}
	}
	if slices.Contains(patterns, "") {
		return errors.New("a channel pattern is empty; hint: * stands for any channel")
	}
	return nil
}
