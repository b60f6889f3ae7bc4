package poll

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Native reports whether sockets can be added to a Poller here.
const Native = true

// A Poller is an epoll instance and an eventfd.
//
// Whoever waits is parked by Go's own poller, which watches the epoll instance as it would a socket. A thread that
// blocks in epoll_wait keeps a processor of the scheduler until that is taken from it, for which the runtime's
// monitor looks every 20 µs: a third of all processor time of a server that is calm.
type Poller struct {
	epfd     int
	file     *os.File        // owns epfd
	conn     syscall.RawConn // of file
	deadline time.Time       // of file
	wakefd   int
	events   []unix.EpollEvent
}

// New returns a Poller that must be closed.
func New() (*Poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	p := &Poller{epfd: epfd, wakefd: -1, events: make([]unix.EpollEvent, 512)}
	if err := p.open(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Poller) open() (err error) {
	unix.SetNonblock(p.epfd, true) // else NewFile takes it for a file that is read by a thread
	p.file = os.NewFile(uintptr(p.epfd), "epoll")
	if err := p.file.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("watch epoll: %w", err)
	}
	if p.conn, err = p.file.SyscallConn(); err != nil {
		return fmt.Errorf("watch epoll: %w", err)
	}
	if p.wakefd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("create eventfd: %w", err)
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(p.wakefd)}
	if err := unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, p.wakefd, &ev); err != nil {
		return fmt.Errorf("watch eventfd: %w", err)
	}
	return nil
}

// Close releases the Poller. Sockets added to it stay open.
func (p *Poller) Close() error {
	if p.wakefd >= 0 {
		unix.Close(p.wakefd)
	}
	return p.file.Close()
}

// Add watches a non-blocking socket until it is closed.
func (p *Poller) Add(fd int) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	if err := unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch socket: %w", err)
	}
	return nil
}

// Remove no longer watches a socket that goes on elsewhere. Closing it here would not do: the kernel watches
// it for as long as anybody has it open.
func (p *Poller) Remove(fd int) {
	_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, fd, nil)
}

// Wake makes the current or the next Wait return. Calls may be merged into one.
func (p *Poller) Wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	// It can only fail when the counter is full, and then the loop is awake.
	_, _ = unix.Write(p.wakefd, one[:])
}

// Wait appends to events what is ready, after at most timeout; a timeout below 0 waits for an event.
func (p *Poller) Wait(events []Event, timeout time.Duration) ([]Event, error) {
	n, err := p.wait(timeout)
	for _, ev := range p.events[:n] {
		// The eventfd needs no reading: it is edge-triggered, and every write is an edge.
		if ev.Fd != int32(p.wakefd) {
			events = append(events, Event{
				FD:       ev.Fd,
				Readable: ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0,
				Writable: ev.Events&unix.EPOLLOUT != 0,
				Ended:    ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0,
			})
		}
	}
	if n == len(p.events) && n < 8192 {
		p.events = make([]unix.EpollEvent, n*2)
	}
	return events, err
}

func (p *Poller) wait(timeout time.Duration) (n int, err error) {
	if timeout == 0 {
		return p.look()
	}
	if err := p.setDeadline(timeout); err != nil {
		return 0, err
	}
	readErr := p.conn.Read(func(uintptr) (isDone bool) {
		n, err = p.look()
		return n > 0 || err != nil
	})
	if readErr != nil && !errors.Is(readErr, os.ErrDeadlineExceeded) {
		return 0, fmt.Errorf("wait for events: %w", readErr)
	}
	return n, err
}

// setDeadline has the next read end after at most timeout. A deadline that comes sooner stays: setting one costs
// more than to wait once too often.
func (p *Poller) setDeadline(timeout time.Duration) error {
	now := time.Now()
	isSet := !p.deadline.IsZero()
	hasPassed := isSet && !p.deadline.After(now) // and whoever reads is refused
	var want time.Time
	if timeout > 0 {
		want = now.Add(timeout)
	}
	if !hasPassed && (timeout < 0 || isSet && !p.deadline.After(want)) {
		return nil
	}
	p.deadline = want
	if err := p.file.SetReadDeadline(want); err != nil {
		return fmt.Errorf("wait for events until a time: %w", err)
	}
	return nil
}

// look takes what is ready, without waiting.
func (p *Poller) look() (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epfd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EINTR:
		return 0, nil
	}
	return 0, fmt.Errorf("look for events: %w", errno)
}
