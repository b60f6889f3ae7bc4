package handover

import (
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// Connections are some connections; the descriptors of their sockets come with the message, in the same order.
type Connections struct{ List []Connection }

func (l *Connections) code(c *coder) { list(c, &l.List, (*Connection).code) }

// A Connection is an established WebSocket connection.
type Connection struct {
	AppID        string
	Socket       protocol.SocketID
	IsJS         bool
	Deflates     bool // permessage-deflate was negotiated
	IsPinged     bool
	IsAuthorized bool
	Silent       uint32  // seconds since something came
	Age          uint32  // seconds since it was established
	Address      *string // under which it is counted, if it is

	Subscriptions []Subscription
	User          *User
	Rates         *Rates
	Input         *Input
	Output        Output
}

func (x *Connection) code(c *coder) {
	c.text(&x.AppID)
	integer(c, &x.Socket)
	c.flag(&x.IsJS)
	c.flag(&x.Deflates)
	c.flag(&x.IsPinged)
	c.flag(&x.IsAuthorized)
	integer(c, &x.Silent)
	integer(c, &x.Age)
	optional(c, &x.Address, text)
	list(c, &x.Subscriptions, (*Subscription).code)
	optional(c, &x.User, (*User).code)
	optional(c, &x.Rates, (*Rates).code)
	optional(c, &x.Input, (*Input).code)
	x.Output.code(c)
}

// A Subscription is one channel of a connection.
type Subscription struct {
	Channel   string
	UserID    string // of the member it is; "" for none
	IsPending bool   // it waits for other nodes
}

func (s *Subscription) code(c *coder) {
	c.text(&s.Channel)
	c.text(&s.UserID)
	c.flag(&s.IsPending)
}

// A User is who a connection has signed in as.
type User struct {
	protocol.User
	// Watching is set while it is not known who of the watchlist is online.
	Watching bool
}

func (u *User) code(c *coder) {
	c.text(&u.ID)
	c.text(&u.Info)
	list(c, &u.Watchlist, text)
	c.flag(&u.Watching)
}

// Rates are what a connection has used of its app's limits.
type Rates struct {
	WindowLeft   time.Duration // 0 if there is none
	WindowCount  int
	Messages     Bucket
	ClientEvents Bucket
}

func (r *Rates) code(c *coder) {
	c.duration(&r.WindowLeft)
	integer(c, &r.WindowCount)
	r.Messages.code(c)
	r.ClientEvents.code(c)
}

// Input is an unfinished message.
type Input struct {
	Tail       []byte // an unfinished frame, still masked
	Message    []byte // the payloads of the fragments so far
	Opcode     uint8  // of the first fragment
	IsFragment bool   // a fragmented message is under way
	IsDeflated bool   // and compressed
}

func (i *Input) code(c *coder) {
	c.bytes(&i.Tail)
	c.bytes(&i.Message)
	integer(c, &i.Opcode)
	c.flag(&i.IsFragment)
	c.flag(&i.IsDeflated)
}

// Output is what waits to be written.
type Output struct {
	Frames  [][]byte
	Written int // bytes of the first frame that are on their way
}

func (o *Output) code(c *coder) {
	list(c, &o.Frames, bytes)
	integer(c, &o.Written)
	if len(o.Frames) == 0 && o.Written != 0 || len(o.Frames) > 0 && (o.Written < 0 || o.Written >= max(len(o.Frames[0]), 1)) {
		c.fail()
	}
}

// Requests are sockets on which HTTP is spoken; their descriptors come with the message.
type Requests struct{ List []Request }

func (l *Requests) code(c *coder) { list(c, &l.List, (*Request).code) }

// A Request is what came of a request that is not complete; nothing, on a connection between two of them.
type Request struct {
	Early  []byte
	Client string // address, if a proxy has told it; "" is the socket's own
}

func (r *Request) code(c *coder) {
	c.bytes(&r.Early)
	c.text(&r.Client)
}
