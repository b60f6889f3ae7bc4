package server

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/reverb-go/reverb-go/server/handover"
	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// silence is how long the other process may say nothing while clients wait.
const silence = 5 * time.Second

// A batch of connections is bounded by what the kernel takes, and by memory.
const (
	maxBatchConns = 250
	maxBatchBytes = 1 << 20
)

// window is how many messages with descriptors may be on their way: the kernel bounds descriptors that nobody
// has received.
const window = 4

// Moving is what HandOver needs to know besides the server.
type Moving struct {
	To    *handover.Conn
	Gates []*Gate // of all listeners that were given to Serve
	// Extra is called while the server is at rest, for what is no business of this package.
	Extra func() [][]byte
	// Commit is called when the other process has confirmed all, right before it serves.
	Commit func()
}

// HandOver gives all to the process at the other end of m.To, which has called Adopt. On an error this server
// goes on as before, except that connections whose sockets it does not own, such as those of TLS, have been
// closed with 4200. Otherwise Leave must be called: it cannot be used any more.
func (s *Server) HandOver(m Moving) (Moved, error) {
	if s.cfg.Portable {
		return Moved{}, ErrNoHandover
	}
	resumeHooks := s.pauseHooks() // before clients wait, since it may take a while
	p, err := s.pauseAll(m.Gates)
	if err != nil {
		resumeHooks()
		return Moved{}, err
	}
	moved, err := p.move(m)
	if err != nil {
		resumeHooks()
		p.resume()
		return Moved{}, err
	}
	p.leave()
	return moved, nil
}

// Apps returns the ids of the apps that have been met, for a Plan.
func (s *Server) Apps() (ids []string) {
	for _, a := range s.apps.all() {
		ids = append(ids, a.id)
	}
	return ids
}

func (p *pause) move(m Moving) (moved Moved, err error) {
	o := outgoing{to: m.To}
	node := p.server.exportNode(p.broker)
	if m.Extra != nil {
		node.Extra = m.Extra()
	}
	if err := o.send(handover.KindNode, node); err != nil {
		return moved, err
	}
	for _, l := range p.server.loops {
		n, err := l.sendConns(&o)
		if err != nil {
			return moved, err
		}
		moved.Connections += n
	}
	if moved.Requests, err = o.sendHeld(p.held); err != nil {
		return moved, err
	}
	for _, l := range p.server.loops {
		n, err := o.sendVisitors(l)
		if err != nil {
			return moved, err
		}
		moved.Requests += n
	}
	if err := o.confirm(moved); err != nil {
		return moved, err
	}
	if m.Commit != nil {
		m.Commit()
	}
	moved.Pause = time.Since(p.began)
	// From here on there is no way back. Should the other process have died meanwhile, everything is lost, as
	// if it had died a moment later.
	_ = m.To.Send(handover.KindGo, &handover.Go{})
	return moved, nil
}

// An outgoing sends the state.
type outgoing struct {
	to      *handover.Conn
	unheard int // messages with descriptors that are not acknowledged
}

func (o *outgoing) send(kind handover.Kind, v handover.Coded, files ...int) error {
	for o.unheard >= window {
		if err := o.hear(); err != nil {
			return err
		}
	}
	if len(files) > 0 {
		o.unheard++
	}
	if err := o.to.SetDeadline(time.Now().Add(silence)); err != nil {
		return err
	}
	err := o.to.Send(kind, v, files...)
	if why := o.to.Failure(err); why != nil {
		return why
	}
	return err
}

func (o *outgoing) hear() error {
	o.unheard--
	return o.expect(handover.KindAck, &handover.Ack{})
}

func (o *outgoing) expect(kind handover.Kind, v handover.Coded) error {
	if err := o.to.SetDeadline(time.Now().Add(silence)); err != nil {
		return err
	}
	_, err := o.to.Expect(kind, v)
	return err
}

// confirm waits until all has arrived.
func (o *outgoing) confirm(moved Moved) error {
	if err := o.send(handover.KindEnd, &handover.End{Connections: moved.Connections, Requests: moved.Requests}); err != nil {
		return err
	}
	for o.unheard > 0 {
		if err := o.hear(); err != nil {
			return err
		}
	}
	var a handover.Adopted
	if err := o.expect(handover.KindAdopted, &a); err != nil {
		return err
	}
	if a.Connections != moved.Connections || a.Requests != moved.Requests {
		return fmt.Errorf("the new process has taken %d of %d connections", a.Connections, moved.Connections)
	}
	return nil
}

// sendConns sends the open connections of a loop that is parked, and returns their number.
func (l *loop) sendConns(o *outgoing) (sent int, err error) {
	var batch handover.Connections
	var files []int
	size := 0
	flush := func() error {
		if len(files) == 0 {
			return nil
		}
		err := o.send(handover.KindConnections, &batch, files...)
		sent += len(files)
		batch.List, files, size = batch.List[:0], files[:0], 0
		return err
	}
	for _, c := range l.byFD {
		if c == nil || c.state != open {
			continue
		}
		batch.List = append(batch.List, l.exportConn(c))
		files = append(files, int(c.fd))
		if size += c.weight(); len(files) == maxBatchConns || size > maxBatchBytes {
			if err := flush(); err != nil {
				return sent, err
			}
		}
	}
	return sent, flush()
}

// weight is about how many bytes there are to be sent of a connection, where they may be many.
func (c *conn) weight() (n int) {
	if c.in != nil {
		n += len(c.in.tail) + len(c.in.message)
	}
	if c.out != nil {
		n += c.out.bytes
	}
	return n
}

func (o *outgoing) sendHeld(held []*httpConn) (sent int, err error) {
	for _, c := range held {
		fd, err := duplicate(c.Conn)
		if err != nil {
			continue // the client has gone
		}
		r := handover.Request{Early: c.unread()}
		if p, ok := c.Conn.(*proxiedConn); ok && p.client != nil {
			r.Client = p.client.String()
		}
		err = o.send(handover.KindRequests, &handover.Requests{List: []handover.Request{r}}, fd)
		poll.CloseSocket(fd)
		if err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

// sendVisitors sends those of a loop that is parked. What has come of their requests is still in the kernel.
func (o *outgoing) sendVisitors(l *loop) (sent int, err error) {
	all := slices.Collect(maps.Values(l.visitors))
	for batch := range slices.Chunk(all, maxBatchConns) {
		files := make([]int, len(batch))
		for i, v := range batch {
			files[i] = int(v.fd)
		}
		if err := o.send(handover.KindRequests, &handover.Requests{List: make([]handover.Request, len(batch))}, files...); err != nil {
			return sent, err
		}
		sent += len(batch)
	}
	return sent, nil
}
