package domain

import "errors"

// ErrNotFound is what does not exist, or not for the user who asks: the two are not to be told apart.
var ErrNotFound = errors.New("not found")

// ErrForbidden is what the user may see but not do.
var ErrForbidden = errors.New("forbidden")

// Invalid is a value that cannot be accepted, in words for whoever gave it.
type Invalid struct {
	Field, Message string
}

func (e *Invalid) Error() string { return e.Message }
