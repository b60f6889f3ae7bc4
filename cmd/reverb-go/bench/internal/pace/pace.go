// Package pace says when things are meant to happen.
//
// A load test that sends its next message when the last one was answered waits together with the
// server it measures, and never sees the wait ("coordinated omission"). So the times are fixed
// beforehand by a [Schedule], and latency is counted from them whenever the sending really happened.
package pace

import "math"

// A Schedule is an endless row of times at an even rate, of which every Of-th belongs to this share.
type Schedule struct {
	Start int64   // nanoseconds
	Rate  float64 // per second, of all shares together
	Index int     // of this share, from 0
	Of    int     // shares
}

// At returns the time of the k-th thing of this share, from 0.
func (s Schedule) At(k int64) int64 {
	return s.Start + int64(math.Round(float64(k*int64(s.Of)+int64(s.Index))*1e9/s.Rate))
}

// Due returns how many things of this share are due by now, that is at or before it.
func (s Schedule) Due(now int64) int64 {
	if now < s.Start || s.Rate <= 0 {
		return 0
	}
	k := int64((float64(now-s.Start)*s.Rate/1e9 - float64(s.Index)) / float64(s.Of))
	// The division is about right; the answer must be the inverse of At.
	for k = max(k-1, 0); s.At(k) <= now; k++ {
	}
	return k
}

// Every returns the time between two things of all shares together.
func (s Schedule) Every() int64 { return int64(1e9 / s.Rate) }
