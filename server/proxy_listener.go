package server

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	proxyproto "github.com/pires/go-proxyproto"
)

// ListenBehindProxies returns a listener for connections from trusted addresses, and with trustUnix from all unix sockets, that
// begin with a header of the PROXY protocol, version 1 or 2, which says who the client is. A connection from elsewhere is
// taken as it comes: whoever sends a header there is nobody to be believed, and speaks no HTTP.
//
// TLS, if there is any, goes on top: the header comes first.
func ListenBehindProxies(ln net.Listener, trusted []netip.Prefix, trustUnix bool) net.Listener {
	return &proxyListener{ln, trusted, trustUnix}
}

type proxyListener struct {
	net.Listener
	trusted   []netip.Prefix
	trustUnix bool
}

func (l *proxyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	plain, ok := c.(systemConn)
	if !ok || !l.isTrusted(c.RemoteAddr()) {
		return c, nil
	}
	return &proxiedConn{systemConn: plain, once: new(sync.Once)}, nil
}

func (l *proxyListener) isTrusted(peer net.Addr) bool {
	switch peer := peer.(type) {
	case *net.TCPAddr:
		return containsAddr(l.trusted, peer.AddrPort().Addr().Unmap())
	case *net.UnixAddr:
		return l.trustUnix
	}
	return false
}

// A systemConn is a socket of TCP or unix.
type systemConn interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

func containsAddr(networks []netip.Prefix, addr netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// maxProxyHeader is enough for the addresses; what a proxy adds to them in version 2 may be longer.
const maxProxyHeader = 4 << 10

// A proxiedConn is a connection whose first bytes are a PROXY header. It is read with the first Read, so that
// accepting waits for nobody and the reader's deadline holds.
type proxiedConn struct {
	systemConn
	once   *sync.Once
	err    error
	client net.Addr // nil if the proxy speaks for itself
	early  *bufio.Reader
	// hasRead is set with the first Read.
	hasRead bool
}

var errNoProxyHeader = errors.New("a trusted proxy has sent no header of the PROXY protocol; hint: configure it to, or unset REVERB_GO_PROXY_PROTOCOL")

func (c *proxiedConn) readHeader() {
	c.early = bufio.NewReaderSize(c.systemConn, maxProxyHeader)
	header, err := proxyproto.Read(c.early)
	switch {
	case errors.Is(err, proxyproto.ErrNoProxyProtocol):
		c.err = errNoProxyHeader
	case err != nil:
		c.err = fmt.Errorf("read header of the PROXY protocol: %w", err)
	case header.Command == proxyproto.PROXY:
		c.client = header.SourceAddr
	}
}

// Read reads what follows the header.
func (c *proxiedConn) Read(b []byte) (int, error) {
	c.once.Do(c.readHeader)
	c.hasRead = true
	switch {
	case c.err != nil:
		return 0, c.err
	case c.early == nil:
		return c.systemConn.Read(b)
	case c.early.Buffered() == 0:
		c.early = nil
		return c.systemConn.Read(b)
	}
	return c.early.Read(b[:min(len(b), c.early.Buffered())])
}

// RemoteAddr is the client's, once something was read.
func (c *proxiedConn) RemoteAddr() net.Addr {
	if c.client != nil {
		return c.client
	}
	return c.systemConn.RemoteAddr()
}

// isThrough reports whether the header was read, and all that came with it.
func (c *proxiedConn) isThrough() bool { return c.early == nil && c.err == nil && c.hasRead }
