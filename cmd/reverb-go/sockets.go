package main

import (
	"fmt"
	"net"
	"os"
)

// A socket is one this process listens on, which a restart hands over.
type socket struct {
	name, key string // what it is for, and the address as it was configured
	socket    interface{ File() (*os.File, error) }
}

func (s socket) File() (*os.File, error) { return s.socket.File() }

// listen returns the socket that the process before this one has listened on for this purpose at this address, or
// else what open opens.
func (n *node) listen(name, key string, open func() (net.Listener, error)) (net.Listener, error) {
	if f := n.in.take(name, key); f != nil {
		defer f.Close()
		ln, err := net.FileListener(f)
		if err != nil {
			return nil, fmt.Errorf("take over the socket for %s: %w", name, err)
		}
		return ln, nil
	}
	return open()
}

// hand has the listener, which must be one of the system's, or a Gate, handed over by a restart.
func (n *node) hand(name, key string, ln net.Listener) {
	if s, ok := ln.(interface{ File() (*os.File, error) }); ok {
		n.listeners = append(n.listeners, socket{name, key, s})
	}
}
