package server_test

import (
	"crypto/rand"
	"flag"
	"path/filepath"
	"strings"
	"testing"
)

// The conversations in testdata/conversations are txtar files read like plays: a script, then the
// files it needs. They are performed by the player in the play_*_test.go files, once against the
// epoll engine and once against its portable twin.
//
//	# A comment is a sentence about the lines below it. It names the rows of the conformance
//	# lists it proves, such as R:CH-01 (Laravel Reverb's list) or P:SUB-01 (Pusher's).
//	a> (connect /app/app-key)
//	a< {"event":"pusher:connection_established","data":"{\"socket_id\":\"$a\",…}"}
//
// What stands after a> is said by client a, what stands after a< must be the next thing a hears,
// byte for byte; bare > and < mean a. api> is a signed request to the HTTP API and api< its answer.
// A conversation also fails when somebody has heard more than it tells at its end. What clients can do
// besides talking stands in parentheses: see play_acts_test.go. Lines nobody speaks are stage
// directions: see play_stage_test.go. Words beginning with $ are filled in: see play_terms_test.go.
// The files are apps.json with the keys of Laravel's config/reverb.php, server.json and vars.

var (
	against = flag.String("against", "", "play the conversations against the server at this URL, such as ws://127.0.0.1:8080")
	appID   = flag.String("id", "1", "with -against: the id of the app to play with")
	key     = flag.String("key", "app-key", "with -against: its key")
	secret  = flag.String("secret", "app-secret", "with -against: its secret")
)

const conversations = "../testdata/conversations"

func TestConversations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(conversations, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations in %s (%v)", conversations, err)
	}
	if *against != "" {
		playAgainst(t, files)
		return
	}
	for _, name := range []string{"epoll", "portable", "redis", "cluster"} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, name)
			for _, file := range files {
				t.Run(title(file), func(t *testing.T) {
					t.Parallel()
					if why := aloneOnly[title(file)]; why != "" && e.redis != nil {
						t.Skip("not in a cluster: " + why)
					}
					script := readScript(t, file)
					perform(t, script, openStage(t, script, e))
				})
			}
		})
	}
}

// playAgainst plays one conversation after the other, because they share the app of a server that is not ours.
func playAgainst(t *testing.T, files []string) {
	for _, file := range files {
		t.Run(title(file), func(t *testing.T) {
			script := readScript(t, file)
			if why := script.needsOwnServer(); why != "" {
				t.Skip("needs a server of its own: it " + why)
			}
			perform(t, script, visitStage(t, *against))
		})
	}
}

func title(file string) string {
	return strings.TrimSuffix(filepath.Base(file), ".txtar")
}

// A play is a conversation under way.
type play struct {
	t      *testing.T
	script *script
	stage  *stage

	once    string // what $once stands for
	line    line
	turn    int // what $n stands for in lines that are said or heard several times
	clients map[string]*client
	order   []*client // as they came on
	api     *api
}

func perform(t *testing.T, s *script, on *stage) {
	p := &play{t: t, script: s, stage: on, clients: make(map[string]*client), once: rand.Text()}
	p.api = &api{stage: on}
	t.Cleanup(p.everybodyLeaves)
	for _, l := range s.lines {
		p.line = l
		p.perform()
	}
	p.line.comment = "At the end everybody has heard all there was to hear."
	p.end()
}

func (p *play) perform() {
	l := p.line
	switch {
	case l.who == "":
		p.direct(l)
	case l.who == "api" && l.heard:
		p.apiHears(l)
	case l.who == "api":
		p.apiSays(l)
	case l.heard:
		p.hears(p.client(l.who), l)
	default:
		p.says(p.client(l.who), l)
	}
}

func (p *play) client(name string) *client {
	c := p.clients[name]
	if c == nil {
		c = &client{name: name}
		p.clients[name] = c
		p.order = append(p.order, c)
	}
	return c
}

func (p *play) end() {
	for _, c := range p.order {
		p.hearsNothing(c)
	}
	if len(p.api.answers) > 0 {
		p.failed("nothing", "api: "+p.api.answers[0].String())
	}
}

// everybodyLeaves also runs after a failure, so that no connection outlives its conversation.
func (p *play) everybodyLeaves() {
	for _, c := range p.order {
		c.leave(*against != "")
	}
}

// failed ends the conversation: want is what the line asks for, got what happened.
func (p *play) failed(want, got string) {
	p.t.Helper()
	p.t.Fatalf("%s:%d: %s\n got: %s\nwant: %s", p.script.file, p.line.number, p.line.comment, got, want)
}

// broken ends a conversation that the player cannot perform.
func (p *play) broken(err error) {
	p.t.Helper()
	p.t.Fatalf("%s:%d: %v", p.script.file, p.line.number, err)
}

// fill replaces the words beginning with $ in text.
func (p *play) fill(text string) string {
	p.t.Helper()
	filled, err := p.expand(text)
	if err != nil {
		p.broken(err)
	}
	return filled
}
