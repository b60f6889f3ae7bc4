package netloop

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
)

// A Loop calls the handlers of its connections.
type Loop struct {
	// AfterTurn is called at the end of each turn, when all that was ready has been handled. What it sends
	// is written at once. It is set before Start.
	AfterTurn func(now int64)

	// Owned by the loop's goroutine.
	driver  driver
	alarms  []*Alarm
	conns   map[*Conn]struct{}
	dirty   []*Conn // have something to be written
	flushed []*Conn // room for the next dirty
	ended   []*Conn // whose handlers do not know yet
	buffer  []byte  // for reading
	free    [][]byte
	again   bool // AfterTurn has not seen all that happened
	stopped bool

	busy atomic.Int64 // nanoseconds outside of waiting
	done chan struct{}

	mu    sync.Mutex // guards posts
	posts []func()
}

// A driver is how sockets are watched.
type driver interface {
	// wait returns when something is ready, after Wake, or after timeout; a negative one is endless.
	wait(timeout time.Duration)
	// handle deals with what wait found.
	handle(l *Loop)
	wake()
	dial(l *Loop, c *Conn, d Dial) error
	// flush writes what it can of c.out.
	flush(l *Loop, c *Conn)
	close(c *Conn)
	// resume looks for what arrived while c was paused.
	resume(l *Loop, c *Conn)
	// end releases everything.
	end()
}

// An Alarm calls Fire once its time has come, on the loop. Fire sets the next Due; 0 is never.
type Alarm struct {
	Due  int64
	Fire func(now int64)
}

const readBuffer = 64 << 10

// New returns a Loop that watches plain sockets the best way the system knows.
func New() (*Loop, error) {
	d, err := newDriver()
	if err != nil {
		return nil, err
	}
	return newLoop(d), nil
}

// NewPortable returns a Loop that works on every system and can speak TLS.
func NewPortable() *Loop { return newLoop(newStreams()) }

func newLoop(d driver) *Loop {
	return &Loop{driver: d, conns: make(map[*Conn]struct{}), buffer: make([]byte, readBuffer), done: make(chan struct{})}
}

// Start runs the loop until Stop.
func (l *Loop) Start() { go l.run() }

// Stop closes all connections without telling their handlers, and returns when the loop has ended.
func (l *Loop) Stop() {
	l.Post(func() { l.stopped = true })
	<-l.done
}

// Post has f called on the loop. It may be called from any goroutine.
func (l *Loop) Post(f func()) {
	l.mu.Lock()
	l.posts = append(l.posts, f)
	l.mu.Unlock()
	l.driver.wake()
}

// Wake makes the loop take a turn. It may be called from any goroutine.
func (l *Loop) Wake() { l.driver.wake() }

// Busy returns for how long the loop has worked since it was started, which is all time it did not wait. It may
// be called from any goroutine.
func (l *Loop) Busy() time.Duration { return time.Duration(l.busy.Load()) }

// AddAlarm has an alarm looked after. There should be few: they are all looked at in each turn.
func (l *Loop) AddAlarm(a *Alarm) { l.alarms = append(l.alarms, a) }

// Conns returns how many connections there are.
func (l *Loop) Conns() int { return len(l.conns) }

func (l *Loop) run() {
	defer close(l.done)
	preciseSleep()
	var busy int64
	for now := clock.Now(); !l.stopped; {
		l.driver.wait(l.timeout(now))
		woken := clock.Now()
		l.driver.handle(l)
		l.takePosts()
		l.fireAlarms()
		l.settle()
		now = clock.Now()
		if l.AfterTurn != nil {
			l.AfterTurn(now)
			l.again = l.settle()
		}
		busy += now - woken
		l.busy.Store(busy)
	}
	for c := range l.conns {
		l.driver.close(c)
	}
	l.driver.end()
}

// timeout returns how long to wait for the next alarm.
func (l *Loop) timeout(now int64) time.Duration {
	if l.again {
		return 0
	}
	next := int64(0)
	for _, a := range l.alarms {
		if a.Due != 0 && (next == 0 || a.Due < next) {
			next = a.Due
		}
	}
	if next == 0 {
		return -1
	}
	return time.Duration(max(next-now, 0))
}

func (l *Loop) takePosts() {
	l.mu.Lock()
	posts := l.posts
	l.posts = nil
	l.mu.Unlock()
	for _, f := range posts {
		f()
	}
}

func (l *Loop) fireAlarms() {
	if len(l.alarms) == 0 {
		return
	}
	now := clock.Now()
	for _, a := range l.alarms {
		if a.Due != 0 && a.Due <= now {
			a.Due = 0
			a.Fire(now)
		}
	}
}

// settle writes what the turn produced and tells handlers of connections that ended, which may produce
// more. It reports whether there were such handlers.
func (l *Loop) settle() (told bool) {
	for len(l.dirty)+len(l.ended) > 0 {
		dirty := l.dirty
		l.dirty = l.flushed[:0]
		for _, c := range dirty {
			c.dirty = false
			if c.state == open {
				l.driver.flush(l, c)
			}
		}
		l.flushed = dirty
		ended := l.ended
		l.ended = nil
		for _, c := range ended {
			c.handler.Closed(c, c.err)
			told = true
		}
	}
	return told
}

// takeBuffer returns an empty buffer for something to be written.
func (l *Loop) takeBuffer() []byte {
	if n := len(l.free); n > 0 {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b
	}
	return make([]byte, 0, 1024)
}

// giveBuffer takes back a buffer, unless it has grown large or there are many.
func (l *Loop) giveBuffer(b []byte) {
	if cap(b) <= 64<<10 && len(l.free) < 1024 {
		l.free = append(l.free, b[:0])
	}
}
