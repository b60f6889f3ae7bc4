package poll

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrAgain says that a socket has nothing to read, or no room to write, at the moment.
var ErrAgain = errors.New("poll: try again later")

// The calls below do not tell Go's scheduler: a non-blocking socket returns at once, and saying so costs more than a
// fifth of a small write. They are those for sockets, which spare the kernel what it has to ask of a file: a
// twentieth of a small write.

// Read reads what is there. At the end it returns io.EOF.
func Read(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == 0 && n == 0:
			return 0, io.EOF
		case errno == 0:
			return int(n), nil
		case errno == unix.EAGAIN:
			return 0, ErrAgain
		case errno != unix.EINTR:
			return 0, errno
		}
	}
}

// A Vector collects pieces of memory to be written in one call.
type Vector struct {
	pieces []unix.Iovec
	header unix.Msghdr // of the call
}

// MaxVector is how many pieces one write may have.
const MaxVector = 256

// Reset empties v.
func (v *Vector) Reset() { v.pieces = v.pieces[:0] }

// Add appends a piece, which must not be empty, and reports whether there is room for another.
func (v *Vector) Add(b []byte) bool {
	v.pieces = append(v.pieces, unix.Iovec{Base: unsafe.SliceData(b), Len: uint64(len(b))})
	return len(v.pieces) < MaxVector
}

const sendFlags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL

// Write writes the pieces as far as there is room, and returns the number of bytes written.
func (v *Vector) Write(fd int) (int, error) {
	for {
		n, errno := v.write(fd)
		switch {
		case errno == 0:
			return int(n), nil
		case errno == unix.EAGAIN:
			return 0, ErrAgain
		case errno != unix.EINTR:
			return 0, errno
		}
	}
}

func (v *Vector) write(fd int) (n uintptr, errno unix.Errno) {
	if len(v.pieces) == 1 {
		p := v.pieces[0]
		n, _, errno = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(p.Base)), uintptr(p.Len), sendFlags, 0, 0)
		return n, errno
	}
	v.header.Iov = unsafe.SliceData(v.pieces)
	v.header.SetIovlen(len(v.pieces))
	n, _, errno = unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&v.header)), sendFlags)
	return n, errno
}

// WriteOnce writes b, as far as there is room.
func WriteOnce(fd int, b []byte) {
	var v Vector
	v.Add(b)
	_, _ = v.Write(fd)
}

// Accept accepts a connection that waits at a listening socket, and returns its address, if it has one. Of TCP it is one
// that delays no small writes.
func Accept(listening int) (fd int, peer netip.Addr, err error) {
	for {
		fd, sa, err := unix.Accept4(listening, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			peer := addrOf(sa)
			if peer.IsValid() {
				_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
			}
			return fd, peer, nil
		case unix.EAGAIN:
			return -1, peer, ErrAgain
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return -1, peer, fmt.Errorf("accept a connection: %w", err)
		}
	}
}

// ShutdownWrite tells the peer that nothing more will come.
func ShutdownWrite(fd int) { _ = unix.Shutdown(fd, unix.SHUT_WR) }

// CloseSocket closes fd, which also takes it out of its Poller.
func CloseSocket(fd int) { _ = unix.Close(fd) }

// Peer returns the address of the other end, or the zero Addr.
func Peer(fd int) netip.Addr {
	sa, err := unix.Getpeername(fd)
	if err != nil {
		return netip.Addr{}
	}
	return addrOf(sa)
}

func addrOf(sa unix.Sockaddr) netip.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(sa.Addr).Unmap()
	}
	return netip.Addr{}
}

// Duplicate returns a second descriptor of the same socket, for a Poller, so that the first can be
// closed by its owner.
func Duplicate(fd uintptr) (int, error) {
	return unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
}
