package server

import (
	"bytes"
	"net"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"
)

// clientAddr returns the address of the client, or "" if it has none because it uses a unix socket. A proxy that is trusted
// says for whom it speaks in X-Forwarded-For: the last entry that is not a trusted proxy itself. Whatever stands before
// that, anybody may have written.
func (s *Server) clientAddr(ctx *fasthttp.RequestCtx) string {
	addr, isTrusted := s.peerOf(ctx)
	// A proxy may add a line of its own below the client's.
	hops := strings.Split(string(bytes.Join(ctx.Request.Header.PeekAll("X-Forwarded-For"), []byte{','})), ",")
	for i := len(hops) - 1; isTrusted && i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
		isTrusted = s.isTrusted(addr)
	}
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// peerOf returns the address of the other end of the socket, which one of unix does not have, and whether that is a
// trusted proxy.
func (s *Server) peerOf(ctx *fasthttp.RequestCtx) (addr netip.Addr, isTrusted bool) {
	if _, isUnix := ctx.RemoteAddr().(*net.UnixAddr); isUnix {
		return netip.Addr{}, s.cfg.TrustUnix
	}
	addr, _ = netip.AddrFromSlice(ctx.RemoteIP())
	addr = addr.Unmap()
	return addr, s.isTrusted(addr)
}

func (s *Server) isTrusted(addr netip.Addr) bool { return containsAddr(s.cfg.TrustedProxies, addr) }
