package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/reverb-go/reverb-go/auth"
)

// RetryOptions say how dead letters are to be sent again.
type RetryOptions struct {
	Options // of which Redis, MaxDeadLetters, Timeout, Transport, Counters, Logger and Now matter

	Config Config
	// App returns an app, or nil if there is none with this id.
	App func(id string) (*auth.App, error)
	// URL, if not "", is where all letters to endpoints go instead of where they were meant for. It has to be an
	// endpoint of the app in Config.
	URL string
	// Progress, if not nil, is told of each letter.
	Progress func(to string, events int, err error)
}

var newline = []byte("\n")

// Retried is what became of the events of dead letters.
type Retried struct {
	Sent int // events delivered
	Kept int // events that are in the file again
}

var (
	errNoApp         = errors.New("there is no such app any more; hint: letters of an app can be sent when it is configured")
	errNoDestination = errors.New("this destination is not configured any more; hint: an endpoint that has moved can be named")
	errNoSuchURL     = errors.New("the app has no endpoint with this url; hint: add it to the app's webhooks")
	errBroken        = errors.New("this line is no dead letter")
)

// Retry sends the letters of a file, and of the one it was rotated to, to their destinations as these are now
// configured. Each letter is tried once; after a failure the others to the same destination are not, so that
// their order is kept. They get a new time_ms, without which receivers would refuse them as too old, and are
// signed with the secret that the app has now. What could not be sent is put back into the file.
//
// A server may go on writing to the file meanwhile. When Retry itself is interrupted, the next one begins again, so
// events may arrive twice. err is about the file, or that of ctx.
func Retry(ctx context.Context, file string, o RetryOptions) (Retried, error) {
	o.Options = o.Options.withDefaults()
	o.DeadLetters = file
	if err := o.Config.Validate(); err != nil {
		return Retried{}, err
	}
	r := &retry{ctx: ctx, opts: &o, letters: newLetters(&o.Options), legs: make(map[string][]leg), failed: make(map[senderKey]error)}
	defer o.closeTransport()
	for _, path := range []string{rotated(file), file} {
		if err := r.file(path); err != nil {
			return r.result, err
		}
	}
	return r.result, ctx.Err()
}

// retry is one run of Retry.
type retry struct {
	ctx     context.Context
	opts    *RetryOptions
	letters *letters
	legs    map[string][]leg    // by app, as far as they were needed
	failed  map[senderKey]error // destinations not to be tried again
	result  Retried
}

// file sends the letters of a file, which is moved away first. One that was moved away and is still there was
// not finished.
func (r *retry) file(path string) error {
	taken := path + ".retrying"
	for _, take := range []func() error{
		func() error { return nil },
		func() error { return os.Rename(path, taken) },
	} {
		if err := take(); err != nil {
			return ignoreMissing(err)
		}
		var failed error
		err := eachLine(taken, func(line []byte) {
			failed = errors.Join(failed, r.line(line))
		})
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		if err := ignoreMissing(os.Remove(taken)); err != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// line sends one letter, or puts it back; err says that neither could be done.
func (r *retry) line(line []byte) error {
	var l letter
	if json.Unmarshal(line, &l) != nil {
		r.progress(l, errBroken)
		return r.letters.append(append(bytes.TrimSuffix(line, newline), newline...))
	}
	sent, err := r.send(l)
	r.result.Sent += sent
	r.progress(l, err)
	if err == nil {
		return nil
	}
	l.Events = l.Events[sent:]
	r.result.Kept += len(l.Events)
	return r.letters.append(l.line())
}

func (r *retry) progress(l letter, err error) {
	if r.opts.Progress != nil {
		r.opts.Progress(l.To, len(l.Events), err)
	}
}

// send delivers the events of a letter, or the first of them.
func (r *retry) send(l letter) (sent int, err error) {
	app, err := r.opts.App(l.App)
	if err != nil {
		return 0, err
	}
	if app == nil {
		return 0, errNoApp
	}
	to, err := r.leg(l)
	if err != nil {
		return 0, err
	}
	records, err := l.records(app)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errBroken, err)
	}
	key := senderKey{l.App, to.key}
	for len(records) > 0 && r.failed[key] == nil {
		n, err := r.sendSome(to.to, records)
		records = records[n:]
		sent += n
		if err != nil {
			r.failed[key] = err
		}
	}
	return sent, r.failed[key]
}

func (r *retry) sendSome(to destination, records []*record) (sent int, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, r.opts.Timeout)
	defer cancel()
	p := to.pack(r.opts.Now(), records)
	if err := to.send(ctx, p); err != nil {
		return 0, err
	}
	r.opts.Counters.Sent.Add(float64(p.events))
	return p.events, nil
}

func isForEndpoint(l letter) bool { return strings.HasPrefix(l.Destination, endpointKind) }

// leg returns the way to a letter's destination.
func (r *retry) leg(l letter) (leg, error) {
	legs, ok := r.legs[l.App]
	if !ok {
		var err error
		if legs, err = r.opts.Config[l.App].legs(&r.opts.Options); err != nil {
			return leg{}, err
		}
		r.legs[l.App] = legs
	}
	for _, candidate := range legs {
		if r.isFor(l, candidate) {
			return candidate, nil
		}
	}
	if r.opts.URL != "" && isForEndpoint(l) {
		return leg{}, errNoSuchURL
	}
	return leg{}, errNoDestination
}

func (r *retry) isFor(l letter, candidate leg) bool {
	if r.opts.URL == "" || !isForEndpoint(l) {
		return candidate.key == l.Destination
	}
	e, ok := candidate.to.(*endpoint)
	return ok && e.cfg.URL == r.opts.URL
}
