package server

import (
	"io"
	"net"
	"syscall"
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
	hc := s.track(c, nil)
	if s.cfg.IsOverloaded != nil && s.cfg.IsOverloaded() && s.unserved() > maxUnserved {
		s.refuseAtOnce(hc, refusedMemory)
		return nil
	}
	if s.cfg.MaxFiles == 0 {
		return hc
	}
	left, reserved := s.cfg.MaxFiles-descriptorOf(c), reservedFiles(s.cfg.MaxFiles)
	if left <= reserved && s.filesLog.take(s.cfg.Now(), 1) {
		s.log.Error("new connections are refused, because too many files are open", "limit", s.cfg.MaxFiles,
			"hint", "raise it: ulimit -n, or LimitNOFILE= in systemd")
	}
	if left <= reserved/2 {
		s.refuseAtOnce(hc, refusedFiles)
		return nil
	}
	hc.isSurplus = left <= reserved
	return hc
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
	return len(s.httpConns)
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
