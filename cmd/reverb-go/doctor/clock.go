package doctor

import (
	"fmt"
	"net/http"
	"time"
)

// Clocks that differ by more than this are worth a word, though signed requests may be off by minutes.
const someDrift = 5 * time.Second

// checkClock compares a clock with ours. unsure is how far the measurement itself may be off.
func checkClock(r *report, whose string, theirs, ours time.Time, unsure time.Duration) {
	const fix = "run an NTP service on both machines, such as systemd-timesyncd or chrony"
	off := theirs.Sub(ours)
	switch d := off.Abs() - unsure; {
	case d > 5*time.Minute:
		r.problem(fmt.Sprintf("the clocks of %s and of this machine differ by %s, and signed requests are refused after 10 minutes", whose, off.Abs().Round(time.Second)), fix)
	case d > someDrift:
		r.warn(fmt.Sprintf("the clocks of %s and of this machine differ by %s", whose, off.Abs().Round(time.Second)), fix)
	default:
		r.ok(fmt.Sprintf("the clocks of %s and of this machine agree", whose))
	}
}

// checkDate compares the Date of an answer with our clock.
func checkDate(r *report, whose string, header http.Header, now time.Time) {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		checkClock(r, whose, date, now, 2*time.Second) // it has whole seconds, and may have been on its way
	}
}
