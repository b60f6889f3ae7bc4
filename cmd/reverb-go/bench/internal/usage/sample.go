package usage

import (
	"context"
	"errors"
	"time"
)

// A Sample is what a server has cost so far.
type Sample struct {
	CPU time.Duration // user and system time since its start
	RSS int64         // resident bytes
}

// ErrEnded is what a Source says of a server that does not run, or no more.
var ErrEnded = errors.New("there is no such process (any more)")

// A Source is a server whose cost can be asked for.
type Source interface {
	Sample(ctx context.Context) (Sample, error)
}

// A Machine is what all programs of this machine together have used so far.
type Machine struct {
	Processors int
	Busy       time.Duration
}
