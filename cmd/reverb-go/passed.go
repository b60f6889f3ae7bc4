package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// A passedSocket is one that systemd has opened, with the name that FileDescriptorName= gives it.
type passedSocket struct {
	name string
	file *os.File
}

// passedKey starts what two processes call such a socket. The rest is a number and its name.
const passedKey = "systemd:"

// plainName is the name of sockets that are never for TLS.
const plainName = "http"

// passedPlaces are the sockets of systemd: those of this process, or those that the process before it has left.
func (n *node) passedPlaces(base endpoint) (all []*place) {
	for i, s := range n.passed {
		all = append(all, newPassedPlace(base, passedKey+strconv.Itoa(i)+":"+s.name, func() (net.Listener, error) { return s.listen() }))
	}
	for _, key := range n.in.keys("clients") {
		if strings.HasPrefix(key, passedKey) {
			all = append(all, newPassedPlace(base, key, nil)) // it is there to be taken
		}
	}
	return all
}

func newPassedPlace(base endpoint, key string, open func() (net.Listener, error)) *place {
	if strings.HasSuffix(key, ":"+plainName) {
		base.tls = nil
	}
	return &place{endpoint: base, key: key, open: open}
}

func (s passedSocket) listen() (net.Listener, error) {
	defer s.file.Close()
	ln, err := net.FileListener(s.file)
	if err != nil {
		return nil, &failure{config.Problem{
			Sentence: fmt.Sprintf("the socket %q of systemd cannot be listened on: %v", s.name, err),
			Hint:     "it has to be a ListenStream= of a socket unit with Accept=no",
		}}
	}
	return ln, nil
}
