package server

import (
	"io"
	"net"
	"net/netip"
	"syscall"

	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// A process without descriptors left can do nothing, not even accept a connection to refuse it: clients would wait in
// the kernel, and Redis could not be reached again. So the last descriptors are kept back, one half for
// HTTP, by which the backend publishes and handshakes come, and the other for all that is no client.
//
// How many are in use is known from the number of a new one: it is the lowest that is free.

// reservedFiles is how many of the descriptors are kept from WebSockets.
func reservedFiles(limit int) int { return min(max(limit/32, 32), 1024, limit/2) }

// maxUnserved is how many connections that are no WebSockets there may be while memory is short. Each takes
// some 20 kB, and keeps it for as long as a request may take, or a pause between two.
const maxUnserved = 1_000

// receive takes a connection that was accepted, or refuses it and returns nil.
func (s *Server) receive(c net.Conn) *httpConn {
	isSurplus, why, isRefused := s.findRoom(descriptorOf(c))
	hc := s.track(c, nil)
	if isRefused {
		s.refuseAtOnce(hc, why)
		return nil
	}
	hc.isSurplus = isSurplus
	return hc
}

// receiveSocket gives a socket that was accepted to a loop, or refuses it.
func (s *Server) receiveSocket(fd int, peer netip.Addr) {
	isSurplus, why, isRefused := s.findRoom(fd)
	if isRefused {
		s.counts.refused[why].Inc()
		poll.WriteOnce(fd, []byte(unavailable))
		poll.CloseSocket(fd)
		return
	}
	v := newVisitor(fd, peer)
	v.isSurplus = isSurplus
	s.visit(v)
}

// findRoom decides whether there is room for one more connection, which has the descriptor fd. It is surplus if there is
// for a request, but not for a WebSocket.
func (s *Server) findRoom(fd int) (isSurplus bool, why refusal, isRefused bool) {
	if s.cfg.IsOverloaded != nil && s.cfg.IsOverloaded() && s.unserved() > maxUnserved {
		return false, refusedMemory, true
	}
	if s.cfg.MaxFiles == 0 {
		return false, 0, false
	}
	left, reserved := s.cfg.MaxFiles-fd, reservedFiles(s.cfg.MaxFiles)
	if left <= reserved && s.filesLog.take(s.cfg.Now(), 1) {
		s.log.Error("new connections are refused, because too many files are open", "limit", s.cfg.MaxFiles,
			"hint", "raise it: ulimit -n, or LimitNOFILE= in systemd")
	}
	return left <= reserved, refusedFiles, left <= reserved/2
}

// unavailable tells whoever speaks HTTP, proxies among them, to come back. It fits into the buffer of any new socket.
const unavailable = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// refuseAtOnce closes a connection without waiting for what it wants.
func (s *Server) refuseAtOnce(c *httpConn, why refusal) {
	s.counts.refused[why].Inc()
	if c.isPlain() {
		_, _ = io.WriteString(c.Conn, unavailable)
	}
	_ = c.Close()
}

func (s *Server) unserved() int {
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	return len(s.httpConns) + int(s.visitors.Load())
}

// descriptorOf returns the number of a connection's descriptor, or 0 if it has none.
func descriptorOf(c net.Conn) (fd int) {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	socket, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Control(func(number uintptr) { fd = int(number) }) // an error means that it is closed
	}
	return fd
}
