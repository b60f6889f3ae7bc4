package netloop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epoll is the driver for plain sockets. They are watched edge-triggered and registered once.
type epoll struct {
	fd, wakefd int
	events     []unix.EpollEvent
	ready      int     // events to be handled
	conns      []*Conn // by descriptor
	gen        uint32
	busy       bool // the last wait did not have to wait
	coarse     bool // there is no epoll_pwait2
}

func newDriver() (driver, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("create eventfd: %w", err)
	}
	e := &epoll{fd: fd, wakefd: wakefd, events: make([]unix.EpollEvent, 1024)}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(wakefd)}
	if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, wakefd, &ev); err != nil {
		e.end()
		return nil, fmt.Errorf("watch eventfd: %w", err)
	}
	return e, nil
}

// preciseSleep lets the loop's thread wake up when it means to. Linux otherwise allows itself 50 µs, which a
// schedule of 20,000 messages a second would see.
func preciseSleep() {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
}

func (e *epoll) end() {
	unix.Close(e.wakefd)
	unix.Close(e.fd)
}

func (e *epoll) wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	// It can only fail when the counter is full, and then the loop is awake.
	_, _ = unix.Write(e.wakefd, one[:])
}

// wait looks first without telling Go's scheduler while there is much to do: to say that a call may
// block costs more than the call.
func (e *epoll) wait(timeout time.Duration) {
	if e.busy || timeout == 0 {
		e.ready = e.look()
		if e.ready > 0 || timeout == 0 {
			return
		}
	}
	e.ready = e.sleep(timeout)
	e.busy = e.ready > 0
}

func (e *epoll) look() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.events[0])), uintptr(len(e.events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

func (e *epoll) sleep(timeout time.Duration) int {
	if e.coarse {
		return e.sleepCoarsely(timeout)
	}
	var until *unix.Timespec
	if timeout >= 0 {
		ts := unix.NsecToTimespec(int64(timeout))
		until = &ts
	}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(e.fd), uintptr(unsafe.Pointer(&e.events[0])), uintptr(len(e.events)),
		uintptr(unsafe.Pointer(until)), 0, 0)
	if errno == unix.ENOSYS || errno == unix.EPERM {
		e.coarse = true
		return e.sleepCoarsely(timeout)
	}
	if errno != 0 {
		return 0
	}
	return int(n)
}

// sleepCoarsely is for kernels before 5.11. It rather turns idly for the last millisecond than being late.
func (e *epoll) sleepCoarsely(timeout time.Duration) int {
	ms := -1
	if timeout >= 0 {
		ms = int(timeout / time.Millisecond)
	}
	n, err := unix.EpollWait(e.fd, e.events, ms)
	if err != nil {
		return 0
	}
	return n
}

func (e *epoll) handle(l *Loop) {
	for _, ev := range e.events[:e.ready] {
		if int(ev.Fd) == e.wakefd {
			continue // edge-triggered: every write is an edge, nothing needs to be read
		}
		c := e.conns[ev.Fd]
		if c == nil || c.gen != uint32(ev.Pad) {
			continue // closed earlier in this turn
		}
		e.handleEvent(l, c, ev.Events)
	}
}

const ends = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR

func (e *epoll) handleEvent(l *Loop, c *Conn, events uint32) {
	if c.state == dialling && events&(unix.EPOLLOUT|ends) != 0 {
		e.connected(l, c)
	}
	if c.state == open && events&(unix.EPOLLIN|ends) != 0 && !c.paused {
		e.read(l, c, events&ends != 0)
	}
	if c.state == open && events&unix.EPOLLOUT != 0 && len(c.out) > 0 {
		e.flush(l, c)
	}
}

func (e *epoll) connected(l *Loop, c *Conn) {
	errno, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err != nil {
		c.fail(err)
		return
	}
	l.opened(c)
}

// read reads until a read comes back short, or to the end when there is one.
func (e *epoll) read(l *Loop, c *Conn, ended bool) {
	for c.state == open && !c.paused {
		b, used := l.room(c)
		n, errno := rawRead(int(c.fd), b)
		switch {
		case errno == unix.EAGAIN:
			return
		case errno == unix.EINTR:
			continue
		case errno != 0:
			c.readFailed(errno)
			return
		case n == 0:
			c.readFailed(nil)
			return
		}
		l.received(c, used+n)
		if n < len(b) && !ended {
			return
		}
	}
}

func (e *epoll) resume(l *Loop, c *Conn) { e.read(l, c, true) }

func (e *epoll) flush(l *Loop, c *Conn) {
	for done := 0; ; {
		n, errno := rawWrite(int(c.fd), c.out[done:])
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			c.out = append(c.out[:0], c.out[done:]...)
			return
		case errno != 0:
			c.fail(errno)
			return
		}
		if done += n; done == len(c.out) {
			l.giveBuffer(c.out)
			c.out = nil
			return
		}
	}
}

func (e *epoll) close(c *Conn) {
	if c.fd >= 0 {
		e.conns[c.fd] = nil
		unix.Close(int(c.fd))
		c.fd = -1
	}
}

func (e *epoll) dial(l *Loop, c *Conn, d Dial) error {
	if d.TLS != nil {
		return errors.New("this loop cannot speak TLS")
	}
	fd, err := newSocket(d)
	if err != nil {
		return err
	}
	e.adopt(c, fd)
	err = unix.Connect(fd, sockaddr(d.Remote.Addr(), d.Remote.Port()))
	if err != nil && err != unix.EINPROGRESS {
		return fmt.Errorf("connect: %w", err)
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd), Pad: int32(c.gen)}
	if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch socket: %w", err)
	}
	return nil
}

func (e *epoll) adopt(c *Conn, fd int) {
	e.gen++
	c.fd, c.gen = int32(fd), e.gen
	for len(e.conns) <= fd {
		e.conns = append(e.conns, nil)
	}
	e.conns[fd] = c
}
