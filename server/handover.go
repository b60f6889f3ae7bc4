package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server/handover"
)

// A Mover is a Broker whose part in the cluster can go on in another process.
type Mover interface {
	Broker
	// Pause ends all that the broker does, and returns what another process has to know to go on. What it
	// still hears before that is handed to the node as usual.
	Pause(ctx context.Context) (state []byte, err error)
	// Resume goes on after all.
	Resume()
	// Import makes a broker, before Start, the one that was paused.
	Import(state []byte) error
}

// A HookMover is Hooks that can be told of what happens in another process. Import and Export are called between
// Pause and Resume; without a Resume, what was exported is the other one's.
type HookMover interface {
	Hooks
	Pause()
	Resume()
	Export() *handover.Hooks
	Import(state *handover.Hooks, app func(id string) (*auth.App, error)) error
}

// pauseHooks returns what ends the pause.
func (s *Server) pauseHooks() (resume func()) {
	m, ok := s.cfg.Hooks.(HookMover)
	if !ok {
		return func() {}
	}
	m.Pause()
	return m.Resume
}

// ErrNoHandover says that connections cannot be handed over here.
var ErrNoHandover = errors.New("this system cannot hand connections over to another process; hint: restart the server, which drains its connections first")

// Moved says what HandOver has handed over.
type Moved struct {
	Connections, Requests int
	Pause                 time.Duration // for which clients were not served
}

// pauseTime is how long a server may take to come to rest. Its clients are served for most of that.
const pauseTime = 3 * time.Second

const pauseStep = time.Millisecond

// A pause is a server at rest: nothing is accepted, read or written, and nobody but the holder of the pause
// touches the state of the loops.
type pause struct {
	server *Server
	gates  []*Gate
	held   []*httpConn
	broker []byte
	began  time.Time // when clients were no longer served

	loops  chan struct{} // closed to have the parked loops go on
	isGone bool          // set before that, when the connections have a new home
}

// pauseAll brings the server to rest. What has been asked for before is done: requests are answered, messages
// that were read are handled, and what they lead to is delivered or waits at its connection. On an error
// all goes on as before.
func (s *Server) pauseAll(gates []*Gate) (*pause, error) {
	ctx, cancel := context.WithTimeout(context.Background(), pauseTime)
	defer cancel()
	p := &pause{server: s, gates: gates}
	if err := p.rest(ctx); err != nil {
		p.resume()
		return nil, err
	}
	return p, nil
}

func (p *pause) rest(ctx context.Context) (err error) {
	s := p.server
	for _, g := range p.gates {
		if err := g.Pause(ctx); err != nil {
			return errors.New("a listener does not come to rest")
		}
	}
	s.isHolding.Store(true)
	s.barrier() // from here on no loop gives a connection to HTTP
	if p.held, err = s.holdHTTP(ctx); err != nil {
		return err
	}
	p.began = time.Now()
	s.pausing.Store(true)
	// What streams carry cannot be moved. Their channels hear that they leave.
	s.onLoops((*loop).closeStreams)
	s.barrier()
	if m, ok := s.broker.(Mover); ok {
		if p.broker, err = m.Pause(ctx); err != nil {
			return err
		}
	}
	s.barrier()
	p.park()
	return nil
}

// onLoops has every loop do something soon.
func (s *Server) onLoops(do func(*loop)) {
	for _, l := range s.loops {
		l.inbox.post(note{do: do})
	}
}

// barrier waits until the loops have taken all notes there are, and then those that came of them.
func (s *Server) barrier() {
	for range 2 {
		taken := make(chan struct{}, len(s.loops))
		s.onLoops(func(*loop) { taken <- struct{}{} })
		for range s.loops {
			<-taken
		}
	}
}

// closeStreams says goodbye to the connections whose sockets the loop does not own.
func (l *loop) closeStreams() {
	for c := range l.conns {
		if c.state == open {
			l.closeWith(c, closedShutdown, protocol.ErrShutdown)
		}
	}
}

// park has the loops write what they can, and stop.
func (p *pause) park() {
	p.loops = make(chan struct{})
	parked := make(chan struct{}, len(p.server.loops))
	p.server.onLoops(func(l *loop) {
		l.reap()
		l.flush()
		parked <- struct{}{}
		<-p.loops
		if p.isGone {
			l.letGo()
		}
	})
	for range p.server.loops {
		<-parked
	}
}

// resume lets the server go on.
func (p *pause) resume() {
	s := p.server
	s.pausing.Store(false)
	s.isHolding.Store(false)
	if p.loops != nil {
		close(p.loops)
	}
	if m, ok := s.broker.(Mover); ok && p.broker != nil {
		m.Resume()
	}
	for _, c := range p.held {
		s.serveHeld(c.Conn, c.unread())
	}
	for _, g := range p.gates {
		g.Resume()
	}
	s.Tick()
}

// leave ends the server without a word to anybody: all of it goes on elsewhere. What is left are connections
// that were closing already, and have a moment for that.
func (p *pause) leave() {
	s := p.server
	s.draining.Store(true)
	for _, g := range p.gates {
		_ = g.Close()
	}
	for _, c := range p.held {
		_ = c.Conn.Close()
	}
	p.isGone = true
	s.pausing.Store(false)
	close(p.loops)
}

// Leave waits, after HandOver, until the server has ended.
func (s *Server) Leave() {
	for _, l := range s.loops {
		l.inbox.stop()
	}
	s.loopsWG.Wait()
	s.streamsWG.Wait()
}

// letGo forgets the connections that have a new home.
func (l *loop) letGo() {
	for _, c := range l.byFD {
		if c == nil || c.state != open {
			continue
		}
		c.state = gone
		c.in = nil
		l.wheel.remove(c)
		l.discard(c)
		l.poller.Remove(int(c.fd))
		l.closeSocket(c)
	}
	for _, v := range l.visitors {
		l.poller.Remove(int(v.fd))
		l.dismiss(v)
	}
}

// answerTime is how long requests that are being answered may take, and cutTime how long it may take to end those that
// only wait for their client.
const (
	answerTime = 2 * time.Second
	cutTime    = 500 * time.Millisecond
)

// holdHTTP takes all connections away from HTTP. Those on which a request is being answered get answerTime;
// so do those on which one has begun to arrive and cannot go on elsewhere. No client can keep the server from coming to
// rest: who does not take an answer in that time, or has begun another request before, loses the connection.
func (s *Server) holdHTTP(ctx context.Context) ([]*httpConn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime+cutTime)
	defer cancel()
	ticker := time.NewTicker(pauseStep)
	defer ticker.Stop()
	held := make(map[*httpConn]struct{})
	patience := time.Now().Add(answerTime)
	for s.holdSome(held, time.Now().After(patience)) > 0 {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return movable(held), errors.New("an HTTP request is still being answered")
		}
	}
	return movable(held), nil
}

// holdSome adds to held what can be, and returns how many cannot.
func (s *Server) holdSome(held map[*httpConn]struct{}, force bool) (busy int) {
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	for c := range s.httpConns {
		if c.hold(force) {
			held[c] = struct{}{}
			continue
		}
		busy++
		if force {
			c.cutShort()
		}
	}
	return busy
}

// movable waits until HTTP has let go of the connections, and closes those that cannot be moved.
func movable(held map[*httpConn]struct{}) (all []*httpConn) {
	for c := range held {
		<-c.released
		if p, ok := c.Conn.(*proxiedConn); !c.isPlain() || ok && !p.isThrough() {
			_ = c.Conn.Close()
			continue
		}
		all = append(all, c)
	}
	return all
}

// serveHeld gives a connection back to HTTP, with what has come of a request.
func (s *Server) serveHeld(c net.Conn, pending []byte) {
	if err := c.SetDeadline(time.Time{}); err != nil {
		_ = c.Close()
		return
	}
	s.serveTracked(s.track(c, pending))
}

func (s *Server) serveTracked(c *httpConn) {
	s.streamsWG.Go(func() { _ = s.http.ServeConn(c) }) // what it has to say is about the client
}

// requestConn makes a connection of a descriptor, which it takes over. client is what a proxy has said.
func requestConn(fd int, client string) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("take over a connection: %w", err)
	}
	plain, ok := c.(systemConn)
	addr, err := netip.ParseAddrPort(client)
	if client == "" || !ok || err != nil {
		return c, nil
	}
	p := &proxiedConn{systemConn: plain, client: net.TCPAddrFromAddrPort(addr), once: new(sync.Once), hasRead: true}
	p.once.Do(func() {})
	return p, nil
}
