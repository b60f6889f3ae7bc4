package poll

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Ring sends to many sockets with one system call, by io_uring(7). One goroutine at a time may use it.
//
// A send that finds no room ends at once, as Vector.Write does. So all is done when Send returns, and the kernel
// keeps no pointer to memory of ours.
type Ring struct {
	fd      int
	memory  []byte // of both queues
	entries []byte // of sqes

	sqes   []submission
	sqTail *uint32 // atomic
	tail   uint32  // the same, and ours alone
	cqes   []completion
	cqHead *uint32 // atomic
	cqTail *uint32 // atomic

	count   int                   // added since the last Send
	pieces  []unix.Iovec          // of what was added in several pieces
	headers [RingSize]unix.Msghdr // the same
	sent    [RingSize]int
}

// RingSize is how many sends go together at most.
const RingSize = 256

// ringPieces is how many pieces of memory they may have, not counting those with one.
const ringPieces = 16 * RingSize

// NewRing returns a ring, which must be closed, or why the system gives none: it is too old, which is before Linux
// 5.19, or forbids io_uring, as many containers do.
func NewRing() (*Ring, error) {
	params := ringParams{flags: setupSubmitAll | setupCoopTaskrun}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, RingSize, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("set up io_uring: %w", errno)
	}
	r := &Ring{fd: int(fd), pieces: make([]unix.Iovec, 0, ringPieces)}
	if err := r.open(&params); err != nil {
		r.Close()
		return nil, fmt.Errorf("map io_uring: %w", err)
	}
	return r, nil
}

// open maps the queues, which the kernel has laid out as p says.
func (r *Ring) open(p *ringParams) (err error) {
	const access, shared = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	size := max(p.sq.array+p.sqEntries*4, p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(completion{})))
	if r.memory, err = unix.Mmap(r.fd, offsetQueues, int(size), access, shared); err != nil {
		return err
	}
	if r.entries, err = unix.Mmap(r.fd, offsetEntries, int(p.sqEntries)*int(unsafe.Sizeof(submission{})), access, shared); err != nil {
		return err
	}
	at := func(offset uint32) unsafe.Pointer { return unsafe.Pointer(&r.memory[offset]) }
	r.sqes = unsafe.Slice((*submission)(unsafe.Pointer(&r.entries[0])), p.sqEntries)
	r.cqes = unsafe.Slice((*completion)(at(p.cq.cqes)), p.cqEntries)
	r.sqTail, r.cqHead, r.cqTail = (*uint32)(at(p.sq.tail)), (*uint32)(at(p.cq.head)), (*uint32)(at(p.cq.tail))
	order := unsafe.Slice((*uint32)(at(p.sq.array)), p.sqEntries)
	for i := range order {
		order[i] = uint32(i)
	}
	return nil
}

// Close releases the ring.
func (r *Ring) Close() {
	if r.memory != nil {
		_ = unix.Munmap(r.memory)
	}
	if r.entries != nil {
		_ = unix.Munmap(r.entries)
	}
	unix.Close(r.fd)
}

// Add has the next Send send what v holds, and reports false if that has no more room. The memory that v names must
// stay as it is until then, v itself need not.
func (r *Ring) Add(fd int, v *Vector) bool {
	if r.count == RingSize || len(v.pieces) > 1 && len(r.pieces)+len(v.pieces) > ringPieces {
		return false
	}
	e := &r.sqes[(r.tail+uint32(r.count))%uint32(len(r.sqes))]
	*e = submission{fd: int32(fd), opFlags: sendFlags, tag: uint64(r.count)}
	if len(v.pieces) == 1 {
		e.opcode, e.addr, e.length = opSend, pointer(v.pieces[0].Base), uint32(v.pieces[0].Len)
	} else {
		from := len(r.pieces)
		r.pieces = append(r.pieces, v.pieces...)
		h := &r.headers[r.count]
		h.Iov = &r.pieces[from]
		h.SetIovlen(len(v.pieces))
		e.opcode, e.addr, e.length = opSendmsg, pointer(h), 1
	}
	r.count++
	return true
}

// Send sends all that was added. It returns, in that order, how many bytes each socket took: 0 is what Vector.Write
// calls ErrAgain, or that the kernel has failed and this one was not its turn; below 0 it is an error that
// Vector.Write will say.
// After an error the ring is of no more use.
func (r *Ring) Send() (sent []int, err error) {
	sent = r.sent[:r.count]
	clear(sent)
	r.tail += uint32(r.count)
	atomic.StoreUint32(r.sqTail, r.tail)
	for left, open := r.count, r.count; open > 0; {
		n, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(left), uintptr(open), enterGetEvents, 0, 0)
		if errno == 0 {
			left -= int(n)
		} else if errno != unix.EINTR {
			err = fmt.Errorf("send by io_uring: %w", errno)
			break
		}
		open -= r.reap()
	}
	r.count, r.pieces = 0, r.pieces[:0]
	return sent, err
}

// reap takes what is done, and returns how many that were.
func (r *Ring) reap() (n int) {
	head, tail := *r.cqHead, atomic.LoadUint32(r.cqTail)
	for ; head != tail; head++ {
		e := r.cqes[head%uint32(len(r.cqes))]
		if e.result != -int32(unix.EAGAIN) {
			r.sent[e.tag] = int(e.result)
		}
		n++
	}
	atomic.StoreUint32(r.cqHead, head)
	return n
}

func pointer[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// What follows is io_uring's ABI, see io_uring_setup(2) and io_uring_enter(2).

type submission struct {
	opcode  uint8
	flags   uint8
	ioprio  uint16
	fd      int32
	offset  uint64
	addr    uint64
	length  uint32
	opFlags uint32
	tag     uint64
	_       [3]uint64
}

type completion struct {
	tag    uint64
	result int32
	flags  uint32
}

type ringParams struct {
	sqEntries, cqEntries, flags uint32
	threadCPU, threadIdle       uint32
	features, workQueueFD       uint32
	_                           [3]uint32
	sq                          submissionOffsets
	cq                          completionOffsets
}

type submissionOffsets struct {
	head, tail, mask, entries, flags, dropped, array, _ uint32
	_                                                   uint64
}

type completionOffsets struct {
	head, tail, mask, entries, overflow, cqes, flags, _ uint32
	_                                                   uint64
}

const (
	opSendmsg = 9
	opSend    = 26

	setupSubmitAll   = 1 << 7 // one that fails does not stop the others
	setupCoopTaskrun = 1 << 8

	enterGetEvents = 1 << 0

	offsetQueues  = 0
	offsetEntries = 0x10000000
)
