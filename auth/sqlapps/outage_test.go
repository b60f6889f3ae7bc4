package sqlapps

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// proxy is between a test and its database. It can lose connections, or hold up what they carry.
type proxy struct {
	addr   string // its own
	target string

	mu    sync.Mutex // guards what follows
	mode  mode
	conns []net.Conn
}

type mode int

const (
	working mode = iota
	cut          // connections end at once
	frozen       // connections are accepted, and nothing comes back
)

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: ln.Addr().String(), target: target}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		p.turn(cut)
		all.Wait()
	})
	return p
}

// serve carries bytes while the proxy is working. The rest waits until the connection is cut.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	isCut := p.mode == cut
	p.mu.Unlock()
	if isCut {
		return
	}
	go func() {
		defer server.Close()
		_, _ = io.Copy(server, client) // ends with the connection
	}()
	_, _ = io.Copy(&gate{p, client}, server)
}

// gate passes nothing while the proxy is frozen.
type gate struct {
	p *proxy
	io.Writer
}

func (g *gate) Write(b []byte) (int, error) {
	g.p.mu.Lock()
	isFrozen := g.p.mode == frozen
	g.p.mu.Unlock()
	if isFrozen {
		return len(b), nil
	}
	return g.Writer.Write(b)
}

// turn changes the mode. Connections of before end, unless they are to freeze.
func (p *proxy) turn(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	if m == frozen {
		return
	}
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func TestRealOutage(t *testing.T) {
	for name, start := range map[string]func(testing.TB) services.Database{"PostgreSQL": services.Postgres, "MariaDB": services.MariaDB} {
		t.Run(name, func(t *testing.T) {
			db := start(t)
			p := newProxy(t, db.Addr)
			db.Addr = p.addr
			s := newStore(t, db.URL())
			add(t, s, row("1", "key-1", "secret-1"))
			add(t, s, row("2", "key-2", "secret-2"))
			for _, m := range []mode{cut, frozen} {
				playOutage(t, s, p, m)
			}
		})
	}
}

// playOutage loses the database and gets it back.
func playOutage(t *testing.T, s *Store, p *proxy, m mode) {
	t.Helper()
	var log bytes.Buffer
	source := NewSource(s, Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Timeout: 300 * time.Millisecond, Patience: 50 * time.Millisecond})
	known, err := source.ByKey("key-1")
	if err != nil || known == nil {
		t.Fatalf("got %v, %v", known, err)
	}
	p.turn(m)
	source.Expire()
	if a, err := source.ByKey("key-1"); a != known || err != nil {
		t.Errorf("without the database: got %v, %v", a, err)
	}
	if a, err := source.ByKey("key-2"); a != nil || err == nil {
		t.Errorf("an app not seen before, without the database: got %v, %v", a, err)
	}
	p.turn(working)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		a, err := source.ByKey("key-2")
		if a != nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the database is back: got %v, %v", a, err)
		}
	}
	if a, err := source.ByKey("key-1"); a != known || err != nil {
		t.Errorf("after that: got %v, %v", a, err)
	}
	source.Close()
	if got := log.String(); strings.Count(got, "cannot be asked") != 1 || strings.Contains(got, "secret-") {
		t.Errorf("logged:\n%s", got)
	}
}

// Whatever is wrong, the password does not show.
func TestErrorsHideThePassword(t *testing.T) {
	const password = "p@ss:w/rd%41"
	withPassword := func(d services.Database) *url.URL {
		return &url.URL{Scheme: d.Scheme, User: url.UserPassword(d.User, password), Host: d.Addr, Path: d.Name}
	}
	postgres, mariadb := withPassword(services.Postgres(t)), withPassword(services.MariaDB(t))
	nowhere := *mariadb
	nowhere.Host = "127.0.0.1:1"
	noDatabase := *postgres
	noDatabase.Path = "/none"
	for _, address := range []string{
		mariadb.String(), nowhere.String(), noDatabase.String(),
		"postgres://u:" + url.QueryEscape(password) + "@127.0.0.1:1/db",
		"postgres://127.0.0.1:1/db?password=" + url.QueryEscape(password),
		"postgres://u:" + url.QueryEscape(password) + "@h/db?sslmode=none",
		"mysql://u:" + url.QueryEscape(password) + "@h/db?tls=nothing",
		"mysql://u:" + password + "@h:port/db",
		"oracle://u:" + url.QueryEscape(password) + "@h/db",
	} {
		s, err := Open(address)
		if err == nil {
			_, err = s.List(t.Context())
			s.Close()
		}
		if err == nil {
			t.Errorf("%s is no error", address)
			continue
		}
		for _, shown := range []string{password, url.QueryEscape(password), url.PathEscape(password), "p@ss"} {
			if strings.Contains(err.Error(), shown) {
				t.Errorf("the error shows the password: %v", err)
			}
		}
	}
}
