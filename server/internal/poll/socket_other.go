//go:build !linux

package poll

import (
	"errors"
	"net/netip"
)

// ErrAgain says that a socket has nothing to read, or no room to write, at the moment.
var ErrAgain = errors.New("poll: try again later")

// Read fails here, as do all calls below: no socket is ever given to a loop.
func Read(int, []byte) (int, error) { return 0, errors.ErrUnsupported }

// A Vector collects pieces of memory to be written in one call.
type Vector struct{}

// MaxVector is how many pieces one write may have.
const MaxVector = 256

// Reset empties v.
func (v *Vector) Reset() {}

// Add appends a piece and reports whether there is room for another.
func (v *Vector) Add([]byte) bool { return false }

// Write writes the pieces.
func (v *Vector) Write(int) (int, error) { return 0, errors.ErrUnsupported }

// WriteOnce writes nothing.
func WriteOnce(int, []byte) {}

// Accept accepts no connection.
func Accept(int) (fd int, peer netip.Addr, err error) { return -1, netip.Addr{}, errors.ErrUnsupported }

// ShutdownWrite tells the peer that nothing more will come.
func ShutdownWrite(int) {}

// CloseSocket closes fd.
func CloseSocket(int) {}

// Peer returns the address of the other end.
func Peer(int) netip.Addr { return netip.Addr{} }

// Duplicate returns a second descriptor of the same socket.
func Duplicate(uintptr) (int, error) { return 0, errors.ErrUnsupported }
