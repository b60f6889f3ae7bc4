package handover

import (
	"math"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// Node is what belongs to no connection. Points of time are given as the time that has passed since, or that is
// left: the clocks of two processes need not agree.
type Node struct {
	Age        time.Duration // of the server
	Handshakes Bucket
	Apps       []App
	Broker     []byte   // nil for one that knows nothing
	Hooks      *Hooks   // nil if nobody is told of events
	Extra      [][]byte // what is no business of package server
}

func (n *Node) code(c *coder) {
	c.duration(&n.Age)
	n.Handshakes.code(c)
	list(c, &n.Apps, (*App).code)
	c.bytes(&n.Broker)
	optional(c, &n.Hooks, (*Hooks).code)
	list(c, &n.Extra, bytes)
}

// Bucket is a rate limit as far as it is used. A zero one was never used.
type Bucket struct {
	Left float64
	Ago  time.Duration
	Used bool
}

func (b *Bucket) code(c *coder) {
	bits := math.Float64bits(b.Left)
	integer(c, &bits)
	if b.Left = math.Float64frombits(bits); math.IsNaN(b.Left) {
		c.fail()
	}
	c.duration(&b.Ago)
	c.flag(&b.Used)
}

// App is what the server keeps of an app.
type App struct {
	ID       string
	Events   Bucket
	Reads    Bucket
	Answers  []Answer
	Channels channels.State
}

func (a *App) code(c *coder) {
	c.text(&a.ID)
	a.Events.code(c)
	a.Reads.code(c)
	list(c, &a.Answers, (*Answer).code)
	list(c, &a.Channels.Channels, codeChannel)
	list(c, &a.Channels.Cached, codeCached)
}

// Answer is what is kept under an idempotency key.
type Answer struct {
	Key  string
	Sum  []byte
	Left time.Duration
	Body []byte
}

func (a *Answer) code(c *coder) {
	c.text(&a.Key)
	c.bytes(&a.Sum)
	c.duration(&a.Left)
	c.bytes(&a.Body)
}

func codeChannel(s *channels.ChannelState, c *coder) {
	c.text(&s.Name)
	c.flag(&s.IsLate)
	c.duration(&s.SinceCount)
	list(c, &s.Members, codeMemberState)
	optional(c, &s.Link, codeLink)
}

func codeMemberState(m *channels.MemberState, c *coder) {
	codeMember(&m.Member, c)
	c.flag(&m.IsListed)
}

func codeMember(m *protocol.Member, c *coder) {
	c.text(&m.ID)
	c.text(&m.IDJSON)
	c.text(&m.Info)
	c.text(&m.Data)
}

func codeLink(l *channels.LinkState, c *coder) {
	c.flag(&l.IsLinked)
	integer(c, &l.Seq)
	integer(c, &l.CachedID)
	c.duration(&l.Doubt)
	list(c, &l.Early, codeChange)
}

func codeChange(x *protocol.Change, c *coder) {
	c.text(&x.AppID)
	c.text(&x.Channel)
	integer(c, &x.Seq)
	integer(c, &x.Kind)
	codeMember(&x.Member, c)
}

func codeCached(k *channels.CachedState, c *coder) {
	c.text(&k.Channel)
	c.bytes(&k.Payload)
	c.duration(&k.Left)
}
