package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// origin returns what CLOCK_MONOTONIC showed at base.
func origin() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return base.UnixNano()
	}
	return ts.Nano() - int64(time.Since(base))
}
