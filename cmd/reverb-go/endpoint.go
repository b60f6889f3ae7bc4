package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/server"
)

// endpoint is where the server is reached.
type endpoint struct {
	host     string
	port     int
	path     string         // as it was configured
	hostname string         // what clients call it; "" is unknown
	tls      *tls.Config    // nil without a certificate
	proxies  []netip.Prefix // that send the PROXY protocol

	proxiesOnUnix bool   // and so does who connects to a unix socket
	reusePort     bool   // other processes may listen there, too
	file          string // of a unix socket that takes the place of host and port; ""
	socket        string // the same, if systemd has made it
}

func (e endpoint) listen() (net.Listener, error) {
	var options net.ListenConfig
	if e.reusePort {
		options.Control = reusePort
	}
	ln, err := options.Listen(context.Background(), network(e.host), e.address())
	if err != nil {
		reason, hint := listenProblem(err)
		return nil, &failure{config.Problem{Sentence: fmt.Sprintf("Failed to listen on %q: %s", "tcp://"+e.address(), reason), Hint: hint}}
	}
	return ln, nil
}

// wrap has connections say who they are, and encrypts them, as far as that is wanted.
func (e endpoint) wrap(ln net.Listener) net.Listener {
	if len(e.proxies) > 0 || e.proxiesOnUnix {
		ln = server.ListenBehindProxies(ln, e.proxies, e.proxiesOnUnix)
	}
	if e.tls != nil {
		ln = tls.NewListener(ln, e.tls)
	}
	return ln
}

// address takes IPv6 addresses with and without brackets.
func (e endpoint) address() string {
	if file := cmp.Or(e.file, e.socket); file != "" {
		return "unix:" + file
	}
	host := strings.TrimSuffix(strings.TrimPrefix(e.host, "["), "]")
	return net.JoinHostPort(host, strconv.Itoa(e.port))
}

// banner is the sentence Reverb starts with. The path stands right behind the port, as it was configured.
func (e endpoint) banner() string {
	secure, hostname := "", ""
	if e.tls != nil {
		secure = "secure "
	}
	if e.hostname != "" && e.hostname != e.host {
		hostname = fmt.Sprintf(" (%s)", e.hostname)
	}
	return printable(fmt.Sprintf("Starting %sserver on %s%s%s.", secure, e.address(), e.path, hostname))
}

func (e endpoint) isUnix() bool { return e.file != "" || e.socket != "" }

func (e endpoint) scheme() string {
	if e.tls != nil {
		return "https"
	}
	return "http"
}

// url is that of the prefix of all routes, without a slash at its end. Of a unix socket it is its file.
func (e endpoint) url() string {
	if e.isUnix() {
		return e.address()
	}
	return fmt.Sprintf("%s://%s%s", e.scheme(), e.address(), routePrefix(e.path))
}

// routePrefix is the configured path as it stands in a URL.
func routePrefix(path string) string {
	if path = strings.Trim(path, "/"); path != "" {
		path = "/" + path
	}
	return path
}

// network keeps Go from taking 0.0.0.0 for [::] as well.
func network(host string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// wsaEADDRINUSE is what Windows says for EADDRINUSE.
const wsaEADDRINUSE = syscall.Errno(10048)

// listenProblem says in Reverb's words why an address could not be bound, and what to do about it.
func listenProblem(err error) (reason, hint string) {
	var unknown *net.DNSError
	switch {
	case errors.Is(err, errAnswers), errors.Is(err, errNoSocket):
		return err.Error(), "stop what it belongs to, or choose another file"
	case errors.Is(err, fs.ErrNotExist):
		return "the folder does not exist", "make it; systemd does with RuntimeDirectory="
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, wsaEADDRINUSE):
		return "Address already in use (EADDRINUSE)", "another server listens there: stop it, or choose another port with --port or REVERB_SERVER_PORT"
	case errors.Is(err, syscall.EACCES):
		return "Permission denied (EACCES)", "choose a port above 1023 with --port or REVERB_SERVER_PORT"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "Cannot assign requested address (EADDRNOTAVAIL)", hostHint
	case errors.As(err, &unknown):
		return "the host name is not known", hostHint
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return err.Error(), ""
}

const hostHint = "--host and REVERB_SERVER_HOST say where the server listens, usually 0.0.0.0; REVERB_HOST says where browsers find it"
