package handover

// Version is of all that is said here. It has to change when any of it does.
const Version = 2

// A Kind says what a message is.
type Kind uint8

// The kinds of messages, in the order they come; see the package comment.
const (
	KindHello Kind = iota + 1
	KindPlan
	KindReady
	KindNode
	KindConnections
	KindRequests
	KindEnd
	KindAck // of KindConnections and KindRequests: bounds the descriptors that are on their way
	KindAdopted
	KindGo
	KindFailed
)

// Hello is how a new process presents itself.
type Hello struct {
	Version int
	PID     int
	Program string // its version
}

func (h *Hello) code(c *coder) {
	integer(c, &h.Version)
	integer(c, &h.PID)
	c.text(&h.Program)
}

// A Listener is a listening socket; its descriptor comes with the message.
type Listener struct {
	Name string // what it is for
	Key  string // the address as it was configured
}

func (l *Listener) code(c *coder) {
	c.text(&l.Name)
	c.text(&l.Key)
}

// Plan is what a new process can prepare for.
type Plan struct {
	Listeners []Listener
	Apps      []string // ids of those that have connections or state
	Extra     []byte   // what is no business of package server
}

func (p *Plan) code(c *coder) {
	list(c, &p.Listeners, (*Listener).code)
	list(c, &p.Apps, text)
	c.bytes(&p.Extra)
}

// Ready says that all is prepared.
type Ready struct{}

func (*Ready) code(*coder) {}

// End closes the state.
type End struct{ Connections, Requests int }

func (e *End) code(c *coder) {
	integer(c, &e.Connections)
	integer(c, &e.Requests)
}

// Ack says that a message with descriptors has arrived.
type Ack struct{}

func (*Ack) code(*coder) {}

// Adopted says that all of End has arrived and could be served.
type Adopted struct{ Connections, Requests int }

func (a *Adopted) code(c *coder) {
	integer(c, &a.Connections)
	integer(c, &a.Requests)
}

// Go has the new process serve.
type Go struct{}

func (*Go) code(*coder) {}

// Failed says why there will be no handover. It can come at any time.
type Failed struct{ Sentence, Hint string }

func (f *Failed) code(c *coder) {
	c.text(&f.Sentence)
	c.text(&f.Hint)
}

func (f *Failed) Error() string { return f.Sentence }
