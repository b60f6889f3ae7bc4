//go:build !linux

package usage

// SampleMachine reports that it is not known.
func SampleMachine() (m Machine, ok bool) { return m, false }
