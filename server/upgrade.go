package server

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// A handshake is a request to become a WebSocket that keeps to RFC 6455, section 4.2.1.
type handshake struct {
	app     *app     // nil when there is none with this key
	refused *refusal // decided already; nil
	origin  string
	addr    string // the client's
	isJS    bool
	accept  string
	deflate string // the answer that accepts compression; "" for none
}

// A handshakeFault is why a request to upgrade is answered with an HTTP error. Reverb writes the same
// statuses, but goes on as if it had upgraded.
type handshakeFault struct {
	status int
	text   string
}

var (
	faultMethod     = &handshakeFault{fasthttp.StatusMethodNotAllowed, "Method not allowed."}
	faultHTTP10     = &handshakeFault{fasthttp.StatusHTTPVersionNotSupported, "WebSocket needs HTTP/1.1."}
	faultHost       = &handshakeFault{fasthttp.StatusBadRequest, "Exactly one Host header is needed."}
	faultUpgrade    = &handshakeFault{fasthttp.StatusUpgradeRequired, "This address is for WebSocket connections; the request has no header Upgrade: websocket."}
	faultConnection = &handshakeFault{fasthttp.StatusBadRequest, "The request has no header Connection: Upgrade; a proxy may have removed it."}
	faultKey        = &handshakeFault{fasthttp.StatusBadRequest, "Invalid Sec-WebSocket-Key."}
	faultBody       = &handshakeFault{fasthttp.StatusBadRequest, "A WebSocket handshake has no body."}
	faultVersion    = &handshakeFault{fasthttp.StatusUpgradeRequired, "Sec-WebSocket-Version must be 13."}
)

// checkHandshake returns the value for Sec-WebSocket-Accept, or what is wrong with the request.
func checkHandshake(h *fasthttp.RequestHeader) (accept string, fault *handshakeFault) {
	switch {
	case !h.IsGet():
		return "", faultMethod
	case !h.IsHTTP11():
		return "", faultHTTP10
	case len(h.Host()) == 0:
		return "", faultHost
	case !strings.EqualFold(single(h, "Upgrade"), "websocket"):
		return "", faultUpgrade
	case !hasToken(h.PeekAll("Connection"), "upgrade"):
		return "", faultConnection
	case !isHandshakeKey(single(h, "Sec-WebSocket-Key")):
		return "", faultKey
	case single(h, "Sec-WebSocket-Version") != "13":
		return "", faultVersion
	case hasBody(h):
		return "", faultBody
	}
	return acceptOf(single(h, "Sec-WebSocket-Key")), nil
}

// single returns the value of a header that may stand only once, or "".
func single(h *fasthttp.RequestHeader, name string) string {
	values := h.PeekAll(name) // overwritten by the next call
	if len(values) != 1 {
		return ""
	}
	return string(values[0])
}

// hasToken reports whether one of the comma-separated values is the word, whatever its case.
func hasToken(values [][]byte, word string) bool {
	for _, v := range values {
		for part := range bytes.SplitSeq(v, []byte{','}) {
			if strings.EqualFold(string(bytes.TrimSpace(part)), word) {
				return true
			}
		}
	}
	return false
}

func isHandshakeKey(key string) bool {
	nonce, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(nonce) == 16
}

// acceptOf is section 4.2.2, point 5.4.
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// response is what the server answers. No subprotocol is ever chosen, and no extension but compression.
func (h *handshake) response() []byte {
	extension := ""
	if h.deflate != "" {
		extension = "\r\nSec-WebSocket-Extensions: " + h.deflate
	}
	return []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + h.accept + extension + "\r\nX-Powered-By: Laravel Reverb\r\n\r\n")
}

// upgrade takes the connection of a request away from HTTP and gives it to a loop.
func (s *Server) upgrade(ctx *fasthttp.RequestCtx, h handshake) {
	if v, ok := ctx.Conn().(*visitor); ok {
		v.handshake = &h
		return
	}
	hc := ctx.Conn().(*httpConn)
	hc.beginUpgrade()
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(hijacked net.Conn) {
		defer s.untrack(hc)
		early := readBuffered(hijacked)
		c, err := s.takeOver(hc)
		if err != nil {
			s.counts.refused[refusedSystem].Inc()
			s.log.Warn("connection not taken over", "err", err)
			return
		}
		c.isJS, c.deflates = h.isJS, h.deflate != ""
		l := s.nextLoop()
		l.load.Add(1)
		if !l.inbox.post(note{do: func(l *loop) { l.adopt(c, h, early) }}) {
			l.load.Add(-1)
			closeUnadopted(c)
		}
	})
}

// readBuffered returns what HTTP has read beyond the request: a client need not wait for the answer
// before it sends its first frame. A deadline in the past keeps it from waiting for more.
func readBuffered(c net.Conn) []byte {
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return nil
	}
	var early []byte
	buf := requestBuffers.Get().(*requestBuffer)
	defer requestBuffers.Put(buf)
	for {
		n, err := c.Read(buf[:])
		early = append(early, buf[:n]...)
		if err != nil || n == 0 {
			return early
		}
	}
}

// takeOver makes a conn of a socket. Where there is epoll the descriptor is duplicated and the
// original left to be closed, which takes it out of the poller of Go's runtime.
func (s *Server) takeOver(hc *httpConn) (*conn, error) {
	if _, ok := hc.Conn.(syscall.Conn); s.cfg.Portable || !ok {
		hc.isDetached = true
		return &conn{fd: -1, stream: newStream(hc.Conn, &s.streamsWG), slot: noSlot}, hc.Conn.SetDeadline(time.Time{})
	}
	fd, err := duplicate(hc.Conn)
	if err != nil {
		return nil, err
	}
	return &conn{fd: int32(fd), slot: noSlot}, nil
}

// duplicate returns another descriptor of a connection's socket.
func duplicate(c net.Conn) (fd int, err error) {
	plain, ok := c.(syscall.Conn)
	if !ok {
		return -1, os.ErrInvalid
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return -1, err
	}
	if ctlErr := raw.Control(func(old uintptr) { fd, err = poll.Duplicate(old) }); ctlErr != nil {
		return -1, ctlErr
	}
	return fd, err
}

func closeUnadopted(c *conn) {
	if c.stream != nil {
		c.stream.conn.Close()
		return
	}
	poll.CloseSocket(int(c.fd))
}
