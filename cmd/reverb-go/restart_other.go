//go:build !linux

package main

import (
	"os"

	"github.com/reverb-go/reverb-go/server"
)

// Elsewhere than on Linux there is no handover: loops own no sockets.

type heir struct{}

func (*heir) pid() int { return 0 }

type inheritance struct{ estate estate }

func inherit() (*inheritance, error) { return nil, nil }

func (*inheritance) take(string, string) *os.File { return nil }

func (*inheritance) keys(string) []string { return nil }

func (*inheritance) close() {}

func (*inheritance) fail(error) {}

func (n *node) restart() (*heir, server.Moved, error) {
	return nil, server.Moved{}, unusable(server.ErrNoHandover)
}

func (n *node) adopt() (*server.Server, error) { return nil, server.ErrNoHandover }

type parent struct{ stays bool }

func findParent() parent { return parent{} }

func (p parent) decide(string) parent { return p }

func (n *node) standBy(<-chan os.Signal) error { return nil }

func forward(*heir, os.Signal) {}
