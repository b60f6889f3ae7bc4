// Package target says which server is to be tested, as which app, and whether that is allowed.
package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// A Target is a server and one of its apps. It has the secret in it and is not to be printed; String is.
type Target struct {
	Name     string         `json:"name"` // for people
	Secure   bool           `json:"secure,omitempty"`
	Insecure bool           `json:"insecure,omitempty"` // believe any certificate
	Host     string         `json:"host"`               // with port
	Addr     netip.AddrPort `json:"addr"`               // once resolved
	Prefix   string         `json:"prefix,omitempty"`   // of all paths, like "/ws"
	AppID    string         `json:"app_id"`
	Key      string         `json:"key"`
	Secret   string         `json:"secret"`
	PID      int            `json:"pid,omitempty"`     // of the server; 0 is unknown
	Metrics  string         `json:"metrics,omitempty"` // URL of its Prometheus page
}

// Parse reads ws://host:port/prefix, or with an app ws://key:secret@host:port/prefix/app-id. The query may have
// pid and metrics.
func Parse(name, text string) (Target, error) {
	u, err := url.Parse(text)
	if err != nil {
		// The error of package url repeats the whole text, with the secret.
		return Target{}, fmt.Errorf("the URL of %s cannot be read", called(name))
	}
	t := Target{Name: name}
	if t.Secure, err = isSecure(u.Scheme); err != nil {
		return t, err
	}
	if u.Hostname() == "" {
		return t, fmt.Errorf("the URL of %s names no host", called(name))
	}
	t.Host = withPort(u, t.Secure)
	if t.Name == "" {
		t.Name = t.Host
	}
	t.Prefix = strings.TrimRight(u.Path, "/")
	if u.User != nil {
		t.Key = u.User.Username()
		t.Secret, _ = u.User.Password()
		i := strings.LastIndexByte(t.Prefix, '/')
		t.AppID, t.Prefix = t.Prefix[i+1:], t.Prefix[:max(i, 0)]
	}
	return t, t.parseQuery(u.Query())
}

func called(name string) string {
	if name == "" {
		return "the server"
	}
	return strconv.Quote(name)
}

func isSecure(scheme string) (bool, error) {
	switch scheme {
	case "ws", "http":
		return false, nil
	case "wss", "https":
		return true, nil
	}
	return false, fmt.Errorf("URLs of servers start with ws:// or wss://, not with %q", scheme+"://")
}

func withPort(u *url.URL, secure bool) string {
	switch {
	case u.Port() != "":
		return u.Host
	case secure:
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

func (t *Target) parseQuery(q url.Values) error {
	for name := range q {
		value := q.Get(name)
		switch name {
		case "pid":
			pid, err := strconv.Atoi(value)
			if err != nil || pid <= 0 {
				return fmt.Errorf("%q is no process id", value)
			}
			t.PID = pid
		case "metrics":
			t.Metrics = value
		default:
			return fmt.Errorf("the URL of %s may have pid and metrics in its query, not %q", called(t.Name), name)
		}
	}
	return nil
}

// Check reports what is missing.
func (t Target) Check() error {
	for _, part := range []struct{ name, value string }{{"id", t.AppID}, {"key", t.Key}, {"secret", t.Secret}} {
		if part.value == "" {
			return fmt.Errorf("the app's %s at %s is not known", part.name, t)
		}
	}
	return nil
}

// CheckMetrics reports an URL of a Prometheus page that is none.
func (t Target) CheckMetrics() error {
	if t.Metrics == "" {
		return nil
	}
	u, err := url.Parse(t.Metrics)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is no URL of a page with metrics", t.Metrics)
	}
	return nil
}

// Resolve finds the address.
func (t *Target) Resolve(ctx context.Context) error {
	host, port, err := net.SplitHostPort(t.Host)
	if err != nil {
		return fmt.Errorf("read %q: %w", t.Host, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is no port", port)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("find %q: %w", host, err)
	}
	addr := addrs[0].Unmap()
	for _, a := range addrs {
		if a.Unmap().Is4() {
			addr = a.Unmap()
			break
		}
	}
	t.Addr = netip.AddrPortFrom(addr, uint16(n))
	return nil
}

// ErrNotLoopback is returned by Allow.
var ErrNotLoopback = errors.New("not on this machine")

// Allow refuses servers on other machines, which may be somebody else's, unless their owner has said so. The
// target must have been resolved: a name can point anywhere.
func (t Target) Allow(ownServer bool) error {
	if ownServer || t.Addr.Addr().IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s is %s, which is %w", t, t.Addr.Addr(), ErrNotLoopback)
}

// String returns the URL without credentials.
func (t Target) String() string {
	scheme := "ws://"
	if t.Secure {
		scheme = "wss://"
	}
	return scheme + t.Host + t.Prefix
}

// HostName returns the name to be found in the certificate.
func (t Target) HostName() string {
	host, _, err := net.SplitHostPort(t.Host)
	if err != nil {
		return t.Host
	}
	return host
}
