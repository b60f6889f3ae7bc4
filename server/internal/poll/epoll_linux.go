package poll

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Native reports whether sockets can be added to a Poller here.
const Native = true

// A Poller is an epoll instance and an eventfd.
type Poller struct {
	epfd   int
	wakefd int
	events []unix.EpollEvent
}

// New returns a Poller that must be closed.
func New() (*Poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epfd)
		return nil, fmt.Errorf("create eventfd: %w", err)
	}
	p := &Poller{epfd: epfd, wakefd: wakefd, events: make([]unix.EpollEvent, 512)}
	err = unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, wakefd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(wakefd)})
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("watch eventfd: %w", err)
	}
	return p, nil
}

// Close releases the Poller. Sockets added to it stay open.
func (p *Poller) Close() error {
	unix.Close(p.wakefd)
	return unix.Close(p.epfd)
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

func (p *Poller) wait(timeout time.Duration) (int, error) {
	ms := -1
	if timeout >= 0 {
		ms = int((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.EpollWait(p.epfd, p.events, ms)
	if err == unix.EINTR {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("wait for events: %w", err)
	}
	return n, nil
}
