package server

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"
)

// clientAddr returns the address of the client. A proxy that is trusted says for whom it speaks in
// X-Forwarded-For: the last entry that is not a trusted proxy itself. Whatever stands before that,
// anybody may have written.
func (s *Server) clientAddr(ctx *fasthttp.RequestCtx) string {
	addr, ok := netip.AddrFromSlice(ctx.RemoteIP())
	if !ok {
		return ctx.RemoteAddr().String()
	}
	addr = addr.Unmap()
	if !s.isTrusted(addr) {
		return addr.String()
	}
	// A proxy may add a line of its own below the client's.
	hops := strings.Split(string(bytes.Join(ctx.Request.Header.PeekAll("X-Forwarded-For"), []byte{','})), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
		if !s.isTrusted(addr) {
			break
		}
	}
	return addr.String()
}

func (s *Server) isTrusted(addr netip.Addr) bool { return containsAddr(s.cfg.TrustedProxies, addr) }
