//go:build !linux

package clock

func origin() int64 { return base.UnixNano() }
