package http

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
)

// TestConversations plays the files in testdata. Each is a conversation of some users with the app:
//
//	alice> (sign in)                       begins a session; "(sign in as bob)" for somebody else
//	alice> (token)                         the same, for a program with a bearer token
//	alice> (header X-Socket-ID: 1.2)       is sent with the next request
//	alice> (no token)                      the next request shows no CSRF token
//	alice> POST /api/messages/$room {…}    sends a request
//	alice< 201 {…}                         must be the answer
//	alice< (header Retry-After: *)         must be a header of that answer
//	heard< CHANNEL EVENT {…}               must have been told by the jobs, in any order; "*" for any channel
//	heard< (nothing)                       nothing else must have been told
//	(11m pass)                             the app's clock moves
//	(no websocket server)                  nobody can be told; "(a websocket server)" for the contrary
//
// In what is expected "$name" stands for any value, the same throughout, and "*" for anything; an object with "..." in it may
// have more members. In what is sent $name stands for the value; $alice and so on are the users' ids.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
					text, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					newPlay(newStage(t, b), file).run(string(txtar.Parse(text).Comment))
				})
			}
		})
	}
}

// play is a conversation that is being played.
type play struct {
	*stage
	file    string
	line    int
	comment string
	actors  map[string]*actor
	answers map[string]answer
	values  map[string]any // by name, without the dollar sign
	unheard []realtime.Event
}

// answer is what an actor was last told.
type answer struct {
	status int
	body   string
	header func(string) string
}

func newPlay(s *stage, file string) *play {
	p := &play{stage: s, file: file, actors: map[string]*actor{}, answers: map[string]answer{}, values: map[string]any{}}
	for name, id := range s.users {
		p.values[name] = float64(id)
	}
	return p
}

func (p *play) fatal(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s:%d: %s\n%s", p.file, p.line, p.comment, fmt.Sprintf(format, args...))
}

func (p *play) run(script string) {
	p.t.Helper()
	for i, line := range strings.Split(script, "\n") {
		p.line = i + 1
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			p.comment = line
		case strings.HasPrefix(line, "("):
			p.direct(strings.Trim(line, "()"))
		default:
			p.say(line)
		}
	}
}

// direct follows a stage direction.
func (p *play) direct(what string) {
	p.t.Helper()
	switch what {
	case "no websocket server":
		p.heard.Fail(errors.New("nobody answers"))
		return
	case "a websocket server":
		p.heard.Fail(nil)
		return
	}
	text, ok := strings.CutSuffix(what, " pass")
	d, err := time.ParseDuration(text)
	if !ok || err != nil {
		p.fatal("there is no direction %q", what)
	}
	p.ahead.Add(int64(d))
}

var lineForm = regexp.MustCompile(`^(\w+)([<>]) (.*)$`)

func (p *play) say(line string) {
	p.t.Helper()
	parts := lineForm.FindStringSubmatch(line)
	if parts == nil {
		p.fatal("this is no line: %s", line)
	}
	who, text := parts[1], parts[3]
	switch {
	case who == "heard":
		p.listen(text)
	case parts[2] == ">":
		p.send(who, text)
	default:
		p.expect(who, text)
	}
}

func (p *play) actor(name string) *actor {
	if p.actors[name] == nil {
		p.actors[name] = p.newActor()
	}
	return p.actors[name]
}

func (p *play) send(who, text string) {
	p.t.Helper()
	a := p.actor(who)
	if strings.HasPrefix(text, "(") {
		p.prepare(a, who, strings.Trim(text, "()"))
		return
	}
	method, rest, _ := strings.Cut(text, " ")
	path, body, _ := strings.Cut(rest, " ")
	r := a.do(method, p.fill(path), p.fill(body))
	p.answers[who] = answer{r.StatusCode(), string(r.Body()), func(name string) string { return string(r.Header.Peek(name)) }}
}

func (p *play) prepare(a *actor, who, what string) {
	p.t.Helper()
	name, value, isHeader := strings.Cut(strings.TrimPrefix(what, "header "), ": ")
	switch {
	case what == "sign in":
		a.signIn(who)
	case strings.HasPrefix(what, "sign in as "):
		a.signIn(strings.TrimPrefix(what, "sign in as "))
	case what == "no token":
		a.noToken = true
	case what == "token":
		a.do("GET", "/api/messages/config", "")
		r := a.do("POST", "/login", fmt.Sprintf(`{"username":%q,"password":%q,"device_name":"test"}`, who, password))
		var session struct{ Token string }
		p.check(json.Unmarshal(r.Body(), &session))
		a.bearer = session.Token
		clear(a.cookies)
	case isHeader:
		a.headers[name] = value
	default:
		p.fatal("nobody can %s", what)
	}
}

var variable = regexp.MustCompile(`\$[a-z_0-9]+`)

// fill puts values in the places of their names. A string loses its quotes.
func (p *play) fill(text string) string {
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		v, ok := p.values[name[1:]]
		if !ok {
			p.fatal("nothing is known of %s", name)
		}
		encoded, _ := json.Marshal(v)
		return strings.Trim(string(encoded), `"`)
	})
}

func (p *play) expect(who, text string) {
	p.t.Helper()
	got, ok := p.answers[who]
	if !ok {
		p.fatal("%s has not asked", who)
	}
	if header, ok := strings.CutPrefix(text, "(header "); ok {
		name, want, _ := strings.Cut(strings.TrimSuffix(header, ")"), ": ")
		if is := got.header(name); is != want && (want != "*" || is == "") {
			p.fatal("got header %s: %q\nwant %q", name, is, want)
		}
		return
	}
	status, body, _ := strings.Cut(text, " ")
	if fmt.Sprint(got.status) != status {
		p.fatal("got %d %s\nwant %s", got.status, got.body, text)
	}
	if err := p.matchText(got.body, body); err != nil {
		p.fatal("%v\ngot %s\nwant %s", err, got.body, body)
	}
}

// listen waits for the jobs and looks for an event.
func (p *play) listen(text string) {
	p.t.Helper()
	p.settle()
	p.unheard = append(p.unheard, p.heard.Take()...)
	if text == "(nothing)" {
		if len(p.unheard) > 0 {
			p.fatal("got %s", p.describe())
		}
		return
	}
	channel, rest, _ := strings.Cut(p.fillChannel(text), " ")
	event, payload, _ := strings.Cut(rest, " ")
	for i, e := range p.unheard {
		saved := maps.Clone(p.values)
		if (e.Channel == channel || channel == "*") && e.Name == event && p.matchText(payloadText(e), payload) == nil {
			p.unheard = slices.Delete(p.unheard, i, i+1)
			return
		}
		p.values = saved
	}
	p.fatal("got %s\nwant %s", p.describe(), text)
}

// fillChannel fills in the channel only: what follows is compared.
func (p *play) fillChannel(text string) string {
	channel, rest, _ := strings.Cut(text, " ")
	return p.fill(channel) + " " + rest
}

// payloadText is the payload, and whom it is not told.
func payloadText(e realtime.Event) string {
	b, _ := json.Marshal(e.Payload)
	if e.SocketID != "" {
		return string(b) + " except " + e.SocketID
	}
	return string(b)
}

func (p *play) describe() string {
	var b strings.Builder
	for _, e := range p.unheard {
		fmt.Fprintf(&b, "\n  %s %s %s", e.Channel, e.Name, payloadText(e))
	}
	return b.String()
}

// matchText compares JSON, or other text as it is.
func (p *play) matchText(got, want string) error {
	gotJSON, gotRest, _ := strings.Cut(got, " except ")
	wantJSON, wantRest, _ := strings.Cut(want, " except ")
	var g, w any
	if want == "*" {
		return nil
	}
	if json.Unmarshal([]byte(wantJSON), &w) != nil || json.Unmarshal([]byte(gotJSON), &g) != nil {
		if got != want {
			return errors.New("the texts differ")
		}
		return nil
	}
	if gotRest != wantRest {
		return fmt.Errorf("told to all except %q, want %q", gotRest, wantRest)
	}
	return p.match("", g, w)
}

// match compares values; at says where they are.
func (p *play) match(at string, got, want any) error {
	switch want := want.(type) {
	case string:
		return p.matchString(at, got, want)
	case map[string]any:
		return p.matchObject(at, got, want)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s: got %v, want %d elements", at, got, len(want))
		}
		for i := range want {
			if err := p.match(fmt.Sprintf("%s[%d]", at, i), list[i], want[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: got %v, want %v", at, got, want)
	}
	return nil
}

func (p *play) matchString(at string, got any, want string) error {
	if want == "*" {
		return nil
	}
	if name, ok := strings.CutPrefix(want, "$"); ok && variable.FindString(want) == want {
		known, ok := p.values[name]
		if !ok {
			p.values[name] = got
			return nil
		}
		if !reflect.DeepEqual(got, known) {
			return fmt.Errorf("%s: got %v, want %s, which is %v", at, got, want, known)
		}
		return nil
	}
	if s, ok := got.(string); !ok || s != p.fill(want) {
		return fmt.Errorf("%s: got %v, want %q", at, got, want)
	}
	return nil
}

func (p *play) matchObject(at string, got any, want map[string]any) error {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: got %v, want an object", at, got)
	}
	_, open := want["..."]
	for name := range object {
		if _, ok := want[name]; !ok && !open {
			return fmt.Errorf("%s.%s: is there, and is not wanted", at, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, ok := object[name]
		if name == "..." {
			continue
		}
		if !ok {
			return fmt.Errorf("%s.%s: is not there", at, name)
		}
		if err := p.match(at+"."+name, value, want[name]); err != nil {
			return err
		}
	}
	return nil
}
