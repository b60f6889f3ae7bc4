package services

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// The ports that FreePort gives are below those that Linux, macOS and Windows take for outgoing connections. One of those,
// once it was found free, may be some client's by the time a server wants it.
const (
	firstPort = 12_000
	portCount = 20_000
)

// Where to begin is random, since the tests of other packages run at the same time.
var portsGiven atomic.Uint32

func init() { portsGiven.Store(rand.Uint32N(portCount)) }

// FreePort returns a port nobody listens on just now. It gives the same one again only after all others.
func FreePort() int {
	for range portCount {
		if port := firstPort + int(portsGiven.Add(1)%portCount); IsFree(port) {
			return port
		}
	}
	panic("there is no loopback, or no port is left")
}

// IsFree reports whether nobody listens on a port.
func IsFree(port int) bool {
	ln, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	_ = ln.Close()
	return true
}

// FreeAddr returns an address nobody listens on just now.
func FreeAddr() string { return loopback(FreePort()) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
