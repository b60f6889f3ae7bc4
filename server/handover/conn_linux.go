package handover

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// maxFiles is how many descriptors the kernel takes with one message (SCM_MAX_FD).
const maxFiles = 253

// maxBody bounds a message.
const maxBody = 1 << 30

const headerSize = 5

// A Conn is one end of the connection between the two processes. It is not for several goroutines.
type Conn struct {
	unix   *net.UnixConn
	unread []byte // of buf
	buf    []byte
	files  []int // that came with what was read
}

// A Message is one message. Its files belong to the receiver.
type Message struct {
	Kind  Kind
	Body  []byte
	Files []int
}

// NewConn makes a Conn of a socket, which it keeps.
func NewConn(c *net.UnixConn) *Conn {
	return &Conn{unix: c, buf: make([]byte, 64<<10)}
}

// Open makes a Conn of a descriptor, which it takes over.
func Open(fd int) (*Conn, error) {
	f := os.NewFile(uintptr(fd), "handover")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("open handover socket: %w", err)
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("open handover socket: it is none of unix")
	}
	return NewConn(u), nil
}

// Pair returns the two ends of a new connection, the second for another process.
func Pair() (*Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make handover socket: %w", err)
	}
	c, err := Open(fds[0])
	if err != nil {
		unix.Close(fds[1])
		return nil, nil, err
	}
	return c, os.NewFile(uintptr(fds[1]), "handover"), nil
}

// Close ends the connection and closes what came and was not taken.
func (c *Conn) Close() error {
	for _, fd := range c.files {
		unix.Close(fd)
	}
	c.files = nil
	return c.unix.Close()
}

// SetDeadline bounds all that follows.
func (c *Conn) SetDeadline(t time.Time) error { return c.unix.SetDeadline(t) }

// Send sends a message; its files stay the sender's.
func (c *Conn) Send(kind Kind, v Coded, files ...int) error {
	if len(files) > maxFiles {
		return fmt.Errorf("handover: %d descriptors in one message", len(files))
	}
	b := encode(make([]byte, headerSize, 256), v)
	b[0] = byte(kind)
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-headerSize))
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	n, _, err := c.unix.WriteMsgUnix(b, rights, nil)
	if err == nil && n < len(b) {
		_, err = c.unix.Write(b[n:])
	}
	if err != nil {
		return fmt.Errorf("handover: send: %w", err)
	}
	return nil
}

// Receive returns the next message; its Body is its own. Failed is returned as an error.
func (c *Conn) Receive() (m Message, err error) {
	var header [headerSize]byte
	if err := c.readFull(header[:]); err != nil {
		return m, err
	}
	size := binary.BigEndian.Uint32(header[1:])
	if size > maxBody {
		return m, errMalformed
	}
	m.Kind = Kind(header[0])
	// Not all at once: a wrong size must not reserve what never comes.
	for left := int(size); left > 0; {
		part := make([]byte, min(left, 1<<20))
		if err := c.readFull(part); err != nil {
			return m, err
		}
		if m.Body == nil {
			m.Body = part
		} else {
			m.Body = append(m.Body, part...)
		}
		left -= len(part)
	}
	m.Files, c.files = c.files, nil
	if m.Kind == KindFailed {
		var why Failed
		if err := decode(m.Body, &why); err != nil {
			return m, err
		}
		return m, &why
	}
	return m, nil
}

// Expect receives a message of one kind into v.
func (c *Conn) Expect(kind Kind, v Coded) (files []int, err error) {
	m, err := c.Receive()
	switch {
	case err != nil:
		return nil, err
	case m.Kind != kind:
		closeFiles(m.Files)
		return nil, fmt.Errorf("handover: got a message of kind %d, want %d", m.Kind, kind)
	}
	if err := decode(m.Body, v); err != nil {
		closeFiles(m.Files)
		return nil, err
	}
	return m.Files, nil
}

// Failure returns what the other process has said of its failure, after sending to it has failed; nil is nothing.
func (c *Conn) Failure(sending error) error {
	if sending == nil {
		return nil
	}
	for {
		m, err := c.Receive()
		closeFiles(m.Files)
		var why *Failed
		if errors.As(err, &why) {
			return why
		}
		if err != nil {
			return nil
		}
	}
}

// Decode reads the body of a message.
func (m Message) Decode(v Coded) error { return decode(m.Body, v) }

func closeFiles(files []int) {
	for _, fd := range files {
		unix.Close(fd)
	}
}

// readFull fills b. Descriptors that come with the bytes are collected: a receive never goes beyond the
// bytes that one send with descriptors began with, so they are all of messages not returned yet.
func (c *Conn) readFull(b []byte) error {
	for len(b) > 0 {
		if len(c.unread) == 0 {
			if err := c.fill(len(b)); err != nil {
				return err
			}
		}
		n := copy(b, c.unread)
		b, c.unread = b[n:], c.unread[n:]
	}
	return nil
}

// fill reads at most n bytes, so that descriptors of a later message are not taken for those of this one.
func (c *Conn) fill(n int) error {
	oob := make([]byte, unix.CmsgSpace(maxFiles*4))
	n, oobn, flags, _, err := c.unix.ReadMsgUnix(c.buf[:min(n, len(c.buf))], oob)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("handover: receive: %w", errEnded)
	}
	if err != nil {
		return fmt.Errorf("handover: receive: %w", err)
	}
	c.unread = c.buf[:n]
	if err := c.collect(oob[:oobn]); err != nil {
		return err
	}
	if flags&unix.MSG_CTRUNC != 0 {
		return errors.New("handover: descriptors were lost; hint: raise the limit of open files (ulimit -n)")
	}
	return nil
}

// errEnded says that the other process has closed its end.
var errEnded = errors.New("the other process has ended")

// HasEnded reports whether an error means that the other process has closed its end or died.
func HasEnded(err error) bool {
	return errors.Is(err, errEnded) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)
}

func (c *Conn) collect(oob []byte) error {
	if len(oob) == 0 {
		return nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return fmt.Errorf("handover: read descriptors: %w", err)
	}
	for i := range messages {
		files, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return fmt.Errorf("handover: read descriptors: %w", err)
		}
		c.files = append(c.files, files...)
	}
	return nil
}
