package usage

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// SampleMachine reads what all programs have used. ok is false if that cannot be known.
func SampleMachine() (m Machine, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m, false
	}
	return parseMachine(string(text))
}

// parseMachine reads /proc/stat. Interrupts are left out: their time may have been charged to whom they
// interrupted as well.
func parseMachine(text string) (m Machine, ok bool) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) < 9 || !strings.HasPrefix(f[0], "cpu"):
		case f[0] == "cpu":
			ok = true
			for _, i := range []int{1, 2, 3, 8} { // user, nice, system, and stolen by other machines
				ticks, err := strconv.ParseInt(f[i], 10, 64)
				ok = ok && err == nil
				m.Busy += time.Duration(ticks) * clockTick
			}
		default:
			m.Processors++
		}
	}
	return m, ok && m.Processors > 0
}
