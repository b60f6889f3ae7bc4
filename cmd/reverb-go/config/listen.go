package config

import (
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
)

// HostOff in place of a host is nothing at host and port, for who listens elsewhere only.
const HostOff = "off"

// An Address is one that the server listens on besides host and port.
type Address struct {
	Network string // tcp or unix
	Address string // host:port, or a file
	TLS     Choice // on a unix socket there is none
}

// A Choice is a switch that may be left alone.
type Choice uint8

// What is chosen.
const (
	AsUsual Choice = iota
	Always
	Never
)

// String returns the address as it is configured.
func (a Address) String() string {
	switch {
	case a.Network == "unix":
		return "unix:" + a.Address
	case a.TLS == Always:
		return "https://" + a.Address
	case a.TLS == Never:
		return "http://" + a.Address
	}
	return a.Address
}

// First returns where the server is to be found: at host and port, or else at the first of the other addresses.
func (c *Config) First() Address {
	if c.Host == HostOff && len(c.Listen) > 0 {
		return c.Listen[0]
	}
	return Address{Network: "tcp", Address: net.JoinHostPort(strings.Trim(c.Host, "[]"), strconv.Itoa(c.Port))}
}

const addressHint = "write addresses like 127.0.0.1:8081, http://127.0.0.1:8081 (never TLS), https://[::]:8443 (always) or unix:/run/reverb-go.sock"

// addresses is a list of what to listen on.
func addresses(p *[]Address) target {
	return each(func() { *p = nil }, func(s string) error {
		a, ok := parseAddress(s)
		if !ok {
			return &Problem{fmt.Sprintf("where %q is no address to listen on", s), addressHint}
		}
		*p = append(*p, a)
		return nil
	})
}

func parseAddress(s string) (a Address, ok bool) {
	if path, isUnix := strings.CutPrefix(s, "unix:"); isUnix {
		path = strings.TrimPrefix(path, "//")
		return Address{Network: "unix", Address: path}, path != "" && path[0] != '@'
	}
	a.Network = "tcp"
	rest, isPlain := strings.CutPrefix(s, "http://")
	if isPlain {
		a.TLS = Never
	} else if rest, ok = strings.CutPrefix(s, "https://"); ok {
		a.TLS = Always
	}
	host, port, err := net.SplitHostPort(strings.TrimSuffix(rest, "/"))
	number, numberErr := strconv.ParseUint(port, 10, 16)
	a.Address = net.JoinHostPort(host, strconv.FormatUint(number, 10))
	return a, err == nil && numberErr == nil && number > 0 && !strings.ContainsAny(host, "/@ ")
}

// fileMode is the permissions of a file, as chmod takes them.
func fileMode(p *fs.FileMode) target {
	return target{
		set: func(v any) error {
			s, _ := scalar(v)
			n, err := strconv.ParseUint(s, 8, 32)
			if err != nil || n > 0o777 {
				return &Problem{"which is no mode of a file", "write it as chmod takes it, such as 0660, in quotes in YAML"}
			}
			*p = fs.FileMode(n)
			return nil
		},
		show: func() any { return fmt.Sprintf("%04o", *p) },
	}
}
