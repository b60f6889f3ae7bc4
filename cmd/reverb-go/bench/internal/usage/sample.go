package usage

import (
	"context"
	"time"
)

// A Sample is what a server has cost so far.
type Sample struct {
	CPU time.Duration // user and system time since its start
	RSS int64         // resident bytes
}

// A Source is a server whose cost can be asked for.
type Source interface {
	Sample(ctx context.Context) (Sample, error)
}
