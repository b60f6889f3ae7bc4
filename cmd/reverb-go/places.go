package main

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"net"
	"strconv"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/server"
)

// A place is where clients are listened for.
type place struct {
	endpoint
	key  string // what two processes call its socket
	open func() (net.Listener, error)
	gate *server.Gate // nil until it is open
}

// places lists where to listen. Sockets that systemd has opened take the place of host and port.
func (n *node) places() ([]*place, error) {
	secure, err := n.openTLS()
	if err != nil {
		return nil, err
	}
	base := endpoint{path: n.cfg.Path, hostname: n.cfg.Hostname, tls: secure, reusePort: n.cfg.ReusePort}
	if n.cfg.ProxyProtocol {
		base.proxies, base.proxiesOnUnix = n.cfg.TrustedProxies, n.cfg.TrustUnix
	}
	main := base
	main.host, main.port = n.apps.host(n.cfg.Host), n.cfg.Port
	passed := n.passedPlaces(base)
	if n.apps.throwAway {
		n.warnOfThrowAway(len(passed))
		return []*place{main.place()}, nil
	}
	all := passed
	if len(all) == 0 && n.cfg.Host != config.HostOff {
		all = append(all, main.place())
	}
	for _, a := range n.cfg.Listen {
		p, err := n.placeOf(base, a)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, &config.Problem{Sentence: "there is nothing to listen on", Hint: "the host is off, so --listen or REVERB_GO_LISTEN has to say where"}
	}
	return all, nil
}

// openTLS returns what listeners are given for TLS; nil is none.
func (n *node) openTLS() (*tls.Config, error) {
	var err error
	if n.acme, err = n.openACME(); err != nil {
		return nil, err
	}
	if n.acme != nil {
		return n.acme.TLS(httpProtocols...), nil
	}
	if err := n.openCertificates(); err != nil {
		return nil, err
	}
	return n.certificates.tls(), nil
}

// warnOfThrowAway says what is not used: a throw-away app is served to this machine only, and by nothing that others may
// have a way to.
func (n *node) warnOfThrowAway(passed int) {
	if passed > 0 || len(n.cfg.Listen) > 0 {
		n.out.log.Warn("other addresses and sockets are not used for a throw-away app", "hint", "configure an app: REVERB_APP_ID, REVERB_APP_KEY and REVERB_APP_SECRET")
	}
}

func (e endpoint) place() *place { return &place{endpoint: e, key: e.address(), open: e.listen} }

func (n *node) placeOf(base endpoint, a config.Address) (*place, error) {
	if a.TLS == config.Never || a.Network == "unix" {
		base.tls = nil
	}
	if a.TLS == config.Always && base.tls == nil {
		return nil, &config.Problem{Sentence: fmt.Sprintf("there is no certificate for %s", a), Hint: "set options.tls.local_cert, or write http:// or nothing before the address"}
	}
	if a.Network == "unix" {
		base.file = a.Address
		mode := n.cfg.ListenMode
		return &place{endpoint: base, key: a.String(), open: func() (net.Listener, error) { return listenFile(a.Address, mode) }}, nil
	}
	host, port, _ := net.SplitHostPort(a.Address) // it was parsed
	base.host = host
	base.port, _ = strconv.Atoi(port)
	return base.place(), nil
}

// listenFile listens on a unix socket for clients.
func listenFile(path string, mode fs.FileMode) (net.Listener, error) {
	ln, err := listenUnix(path, mode)
	if err != nil {
		reason, hint := listenProblem(err)
		return nil, &failure{config.Problem{Sentence: fmt.Sprintf("Failed to listen on %q: %s", "unix:"+path, reason), Hint: hint}}
	}
	return ln, nil
}

// openPlaces listens in all places, or in none.
func (n *node) openPlaces(all []*place) error {
	for _, p := range all {
		ln, err := n.listen("clients", p.key, p.open)
		if err == nil {
			p.gate, err = server.NewGate(ln)
		}
		if err != nil {
			closePlaces(all)
			return err
		}
		n.hand("clients", p.key, p.gate)
		p.learn(ln)
		if p.file != "" {
			n.removeAtEnd(p.file, ln)
		}
	}
	return nil
}

// learn notes the address of a socket that somebody else has opened.
func (e *endpoint) learn(ln net.Listener) {
	switch addr := ln.Addr().(type) {
	case *net.TCPAddr:
		if e.host == "" && e.port == 0 {
			e.host, e.port = addr.IP.String(), addr.Port
		}
	case *net.UnixAddr:
		e.tls = nil
		e.socket = addr.Name
	}
}

// removeAtEnd removes the file of a unix socket when the server ends, unless it is another one's by then. It is if another
// process has taken over, or this one has not.
func (n *node) removeAtEnd(path string, ln net.Listener) {
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	remove := remover(path)
	n.onClose(func() {
		if n.heir == nil && (n.in == nil || n.server != nil) {
			remove()
		}
	})
}

func closePlaces(all []*place) {
	for _, p := range all {
		if p.gate != nil {
			p.gate.Close()
		}
	}
}

// listeners are what the server accepts connections of.
func listeners(all []*place) (list []net.Listener) {
	for _, p := range all {
		list = append(list, p.wrap(p.gate))
	}
	return list
}
