package server

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/reverb-go/reverb-go/server/handover"
	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// restTime is how long the old process may take to come to rest.
const restTime = 30 * time.Second

// An Heir is a process that takes over.
type Heir struct {
	From *handover.Conn
	Plan handover.Plan
	// Extra is given what Moving.Extra has returned.
	Extra func([][]byte) error
}

// Adopt is New for a server that goes on where that of another process, which calls HandOver, has stopped. It
// returns when it is to serve. On an error nothing of what the other process has is touched.
func Adopt(cfg Config, broker Broker, h Heir) (*Server, Moved, error) {
	s, err := newServer(cfg, broker)
	if err != nil {
		return nil, Moved{}, err
	}
	resumeHooks := s.pauseHooks()
	in := incoming{server: s, heir: h}
	if err := in.receive(); err != nil {
		in.giveUp(err)
		return nil, Moved{}, err
	}
	resumeHooks()
	s.start()
	for _, fd := range in.sockets {
		v := newVisitor(fd, poll.Peer(fd))
		v.hasAsked = true // or may have: it is not told when its time is over
		s.visit(v)
	}
	for _, r := range in.requests {
		s.serveHeld(r.conn, r.early)
	}
	s.onLoops((*loop).watchAgain)
	s.RefreshApps()
	return s, in.moved, nil
}

// An incoming receives the state.
type incoming struct {
	server   *Server
	heir     Heir
	requests []heldRequest
	sockets  []int // between two requests, for loops
	moved    Moved
}

type heldRequest struct {
	conn  net.Conn
	early []byte
}

func (in *incoming) receive() error {
	from := in.heir.From
	for _, id := range in.heir.Plan.Apps {
		if _, err := in.server.importApp(id); err != nil {
			return err
		}
	}
	if err := from.Send(handover.KindReady, &handover.Ready{}); err != nil {
		return err
	}
	_ = from.SetDeadline(time.Now().Add(restTime))
	for {
		m, err := from.Receive()
		if err != nil {
			return err
		}
		_ = from.SetDeadline(time.Now().Add(silence))
		if m.Kind == handover.KindEnd {
			return in.end(m)
		}
		if err := in.take(m); err != nil {
			return err
		}
	}
}

func (in *incoming) take(m handover.Message) error {
	switch m.Kind {
	case handover.KindNode:
		return in.takeNode(m)
	case handover.KindConnections:
		return in.takeConnections(m)
	case handover.KindRequests:
		return in.takeRequests(m)
	}
	return fmt.Errorf("the old process has sent a message of kind %d", m.Kind)
}

func (in *incoming) takeNode(m handover.Message) error {
	var n handover.Node
	if err := m.Decode(&n); err != nil {
		return err
	}
	in.moved.Pause = 0
	if err := in.server.importNode(&n); err != nil {
		return err
	}
	if in.heir.Extra == nil {
		return nil
	}
	return in.heir.Extra(n.Extra)
}

func (in *incoming) ack() error { return in.heir.From.Send(handover.KindAck, &handover.Ack{}) }

// takeConnections gives the connections of a message to loops.
func (in *incoming) takeConnections(m handover.Message) error {
	files := m.Files
	defer func() { closeSockets(files) }()
	var l handover.Connections
	if err := m.Decode(&l); err != nil {
		return err
	}
	if len(l.List) != len(files) {
		return errCount
	}
	for i := range l.List {
		x := &l.List[i]
		a, err := in.server.importApp(x.AppID)
		if err != nil {
			return err
		}
		if err := in.server.nextLoop().importConn(a, x, files[0]); err != nil {
			return err
		}
		files = files[1:]
		in.moved.Connections++
	}
	return in.ack()
}

var errCount = errors.New("descriptors are missing in what the old process has sent")

func (in *incoming) takeRequests(m handover.Message) error {
	files := m.Files
	defer func() { closeSockets(files) }()
	var l handover.Requests
	if err := m.Decode(&l); err != nil {
		return err
	}
	if len(l.List) != len(files) {
		return errCount
	}
	for _, r := range l.List {
		in.moved.Requests++
		if len(r.Early) == 0 && r.Client == "" && in.server.hasVisitors {
			in.sockets = append(in.sockets, files[0])
			files = files[1:]
			continue
		}
		c, err := requestConn(files[0], r.Client)
		files = files[1:]
		if err != nil {
			return err
		}
		in.requests = append(in.requests, heldRequest{c, r.Early})
	}
	return in.ack()
}

// end confirms that all is there, and waits for the word to serve.
func (in *incoming) end(m handover.Message) error {
	var e handover.End
	if err := m.Decode(&e); err != nil {
		return err
	}
	if e.Connections != in.moved.Connections || e.Requests != in.moved.Requests {
		return errCount
	}
	in.server.imported()
	from := in.heir.From
	if err := from.Send(handover.KindAdopted, &handover.Adopted{Connections: e.Connections, Requests: e.Requests}); err != nil {
		return err
	}
	_ = from.SetDeadline(time.Now().Add(restTime))
	_, err := from.Expect(handover.KindGo, &handover.Go{})
	if err != nil && !handover.HasEnded(err) {
		return err
	}
	return nil // if it has ended, there is nobody else left to serve
}

// giveUp closes this process's copies, and says why.
func (in *incoming) giveUp(why error) {
	for _, r := range in.requests {
		_ = r.conn.Close()
	}
	closeSockets(in.sockets)
	for _, l := range in.server.loops {
		for _, c := range l.byFD {
			if c != nil {
				poll.CloseSocket(int(c.fd))
			}
		}
		l.giveBack()
	}
	_ = in.heir.From.SetDeadline(time.Now().Add(silence))
	_ = in.heir.From.Send(handover.KindFailed, &handover.Failed{Sentence: why.Error()})
}

func closeSockets(files []int) {
	for _, fd := range files {
		poll.CloseSocket(fd)
	}
}
