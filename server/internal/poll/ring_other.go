//go:build !linux

package poll

import "errors"

// A Ring is never made here.
type Ring struct{}

// NewRing fails.
func NewRing() (*Ring, error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (r *Ring) Close() {}

// Add reports that there is no room.
func (r *Ring) Add(int, *Vector) bool { return false }

// Send fails.
func (r *Ring) Send() ([]int, error) { return nil, errors.ErrUnsupported }
