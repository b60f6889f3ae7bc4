//go:build !linux

package usage

import (
	"context"
	"errors"
)

// A Process is a server on this machine.
type Process struct{}

// NewProcess fails: only Linux has the files that tell.
func NewProcess(int) (*Process, error) {
	return nil, errors.New("the cost of a process can be read on Linux only")
}

// Sample fails.
func (p *Process) Sample(context.Context) (Sample, error) { return Sample{}, errors.ErrUnsupported }

// OpenFiles returns 0: it is not known.
func (p *Process) OpenFiles() int { return 0 }

// Listener returns 0: it is not known.
func Listener(uint16) int { return 0 }

// PortRange returns how many ports connections from one address to one other may have, as is usual.
func PortRange() int { return 16_384 }
