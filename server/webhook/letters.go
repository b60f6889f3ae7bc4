package webhook

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// A letter is a line of the file of dead letters: events that could not be delivered.
type letter struct {
	Time        time.Time         `json:"time"` // of giving up
	App         string            `json:"app_id"`
	Destination string            `json:"destination"` // the key of a leg
	To          string            `json:"to"`          // for people
	Reason      string            `json:"reason"`
	Attempts    int               `json:"attempts"`
	Events      []json.RawMessage `json:"events"`
}

// letterEvent is one of the events of a letter: as in a webhook, and when it happened.
type letterEvent struct {
	TimeMS   int64              `json:"time_ms"`
	Name     channels.EventName `json:"name"`
	Channel  string             `json:"channel"`
	UserID   string             `json:"user_id"`
	Event    string             `json:"event"`
	Data     string             `json:"data"`
	SocketID string             `json:"socket_id"`
	Count    int                `json:"subscription_count"`
}

func appendLetterEvent(dst []byte, r *record) []byte {
	dst = strconv.AppendInt(append(dst, `{"time_ms":`...), r.at.UnixMilli(), 10)
	rest := len(dst)
	dst = appendEvent(dst, &r.event)
	dst[rest] = ',' // was the brace
	return dst
}

// records reads the events of the letter as those of app.
func (l *letter) records(app *auth.App) ([]*record, error) {
	all := make([]*record, 0, len(l.Events))
	for _, raw := range l.Events {
		var e letterEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, err
		}
		if setOf(e.Name) == 0 {
			return nil, fmt.Errorf("there is no event %q", e.Name)
		}
		id, _ := protocol.ParseSocketID(e.SocketID)
		all = append(all, &record{app: app, at: time.UnixMilli(e.TimeMS), event: channels.Event{
			Name: e.Name, Channel: e.Channel, UserID: e.UserID, Count: e.Count, Event: e.Event, Data: e.Data, SocketID: id,
		}})
	}
	return all, nil
}

// line returns the letter as it is written.
func (l *letter) line() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		panic("webhook: a letter cannot be written: " + err.Error())
	}
	return b.Bytes()
}

// letters is the file of dead letters. Each write opens it, since another process may have taken it away to
// send the letters again.
type letters struct {
	path string // "" is none
	opts *Options
	mu   sync.Mutex // is held while writing
}

func newLetters(o *Options) *letters { return &letters{path: o.DeadLetters, opts: o} }

// check finds out early whether the file can be written.
func (ls *letters) check() error {
	if ls.path == "" {
		return nil
	}
	f, err := openForAppend(ls.path)
	if err != nil {
		return fmt.Errorf("the file of undelivered webhooks: %w; hint: its folder has to exist and be writable", err)
	}
	return f.Close()
}

// The file is for the owner only: it has what users sent.
func openForAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

// write adds a letter with the records, or else drops them.
func (ls *letters) write(l letter, records []*record) {
	l.Time = ls.opts.Now().UTC()
	for _, r := range records {
		l.Events = append(l.Events, appendLetterEvent(nil, r))
	}
	log := ls.opts.Logger.With("app", l.App, "to", l.To, "events", len(records), "reason", l.Reason)
	if err := ls.append(l.line()); err != nil {
		ls.opts.Counters.Dropped.Add(float64(len(records)))
		log.Error("webhook given up and lost", "err", err)
		return
	}
	ls.opts.Counters.DeadLettered.Add(float64(len(records)))
	log.Error("webhook given up; hint: reverb-go webhooks retry sends it again")
}

var errNoLetters = errors.New("there is no file for undelivered webhooks")

// append writes one line.
func (ls *letters) append(line []byte) error {
	if ls.path == "" {
		return errNoLetters
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if err := ls.makeRoom(len(line)); err != nil {
		return err
	}
	for {
		isThere, err := appendTo(ls.path, line)
		if err != nil || isThere {
			return err
		}
	}
}

// appendTo reports whether the file is still at its path after the line was written. If it was renamed meanwhile,
// its reader may or may not have seen the line; twice is better than never.
func appendTo(path string, line []byte) (isThere bool, err error) {
	f, err := openForAppend(path)
	if err != nil {
		return false, err
	}
	_, err = f.Write(line)
	written, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(written, there), nil
}

// makeRoom renames the file if n more bytes are too many. The letters in the file whose place it takes are lost.
func (ls *letters) makeRoom(n int) error {
	info, err := os.Stat(ls.path)
	if err != nil || info.Size() == 0 || info.Size()+int64(n) <= ls.opts.MaxDeadLetters {
		return nil // what is wrong with the file is said when it is opened
	}
	lost, err := countEvents(rotated(ls.path))
	if err != nil {
		return err
	}
	if err := os.Rename(ls.path, rotated(ls.path)); err != nil {
		return err
	}
	if lost > 0 {
		ls.opts.Counters.Dropped.Add(float64(lost))
		ls.opts.Logger.Error("undelivered webhooks lost: their files are full", "file", rotated(ls.path), "events", lost)
	}
	return nil
}

// rotated is where the file goes when it is full.
func rotated(path string) string { return path + ".1" }

// countEvents returns the number of events in a file, which need not exist.
func countEvents(path string) (n int, err error) {
	err = eachLine(path, func(line []byte) {
		var l letter
		if json.Unmarshal(line, &l) == nil {
			n += len(l.Events)
		}
	})
	return n, err
}

// eachLine calls do for each line of a file, which need not exist. The line is valid until do returns.
func eachLine(path string, do func(line []byte)) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			do(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
