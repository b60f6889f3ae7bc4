package server

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// TestClientAddr: anybody can write X-Forwarded-For, so it counts as far as a proxy that is trusted has written it.
func TestClientAddr(t *testing.T) {
	s := &Server{cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}}
	for _, tt := range []struct{ name, peer, forwarded, want string }{
		{"nobody in between", "192.0.2.1", "", "192.0.2.1"},
		{"a client that claims another address", "192.0.2.1", "198.51.100.7", "192.0.2.1"},
		{"a client that claims to be a proxy", "192.0.2.1", "198.51.100.7, 10.0.0.1", "192.0.2.1"},
		{"a proxy", "10.0.0.1", "192.0.2.1", "192.0.2.1"},
		{"a proxy that adds to what a client claimed", "10.0.0.1", "198.51.100.7, 192.0.2.1", "192.0.2.1"},
		{"two proxies", "10.0.0.1", "198.51.100.7, 192.0.2.1, 10.0.0.2", "192.0.2.1"},
		{"a proxy of which another one knows nothing", "10.0.0.1", "10.0.0.2", "10.0.0.2"},
		{"a proxy without a word", "10.0.0.1", "", "10.0.0.1"},
		{"a proxy that adds a line to what a client claimed", "10.0.0.1", "198.51.100.7\n192.0.2.1", "192.0.2.1"},
		{"no address", "10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"},
		{"an address with a port", "10.0.0.1", "192.0.2.1:1234", "10.0.0.1"},
		{"IPv6", "fd00::1", "2001:db8::1", "2001:db8::1"},
		{"IPv4 in IPv6", "::ffff:10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(tt.peer)}, nil)
			for line := range strings.SplitSeq(tt.forwarded, "\n") {
				ctx.Request.Header.Add("X-Forwarded-For", line)
			}
			if got := s.clientAddr(&ctx); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestProxyHeaderOfStrangers: a PROXY header of somebody who is not trusted is what HTTP gets to read, and says nothing about the client.
func TestProxyHeaderOfStrangers(t *testing.T) {
	const header = "PROXY TCP4 192.0.2.1 192.0.2.9 4000 8080\r\n"
	for _, tt := range []struct{ name, trusted, wantAddr, wantRead string }{
		{"a stranger", "10.0.0.0/8", "127.0.0.1", header},
		{"a proxy", "127.0.0.0/8", "192.0.2.1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer inner.Close()
			said := make(chan error, 1)
			go func() { said <- sayTo(inner.Addr().String(), header) }()
			c, err := ListenBehindProxies(inner, []netip.Prefix{netip.MustParsePrefix(tt.trusted)}, false).Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			read, err := io.ReadAll(c)
			if err != nil || string(read) != tt.wantRead {
				t.Errorf("read %q and %v, want %q", read, err, tt.wantRead)
			}
			if host, _, _ := net.SplitHostPort(c.RemoteAddr().String()); host != tt.wantAddr {
				t.Errorf("the client is %s, want %s", host, tt.wantAddr)
			}
			if err := <-said; err != nil {
				t.Error(err)
			}
		})
	}
}

func sayTo(addr, text string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.WriteString(c, text)
	return err
}
