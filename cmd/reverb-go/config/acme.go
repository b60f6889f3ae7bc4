package config

import (
	"fmt"
	"net/url"
	"regexp"
)

var domainName = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z][-a-z0-9]*[a-z0-9]$`)

// domains is a list of names that an authority can ask.
func domains(p *[]string) target {
	return each(func() { *p = nil }, func(name string) error {
		if !domainName.MatchString(name) {
			return &Problem{fmt.Sprintf("where %q is no domain", name), "write names in lower case, such as ws.example.com; there are no certificates for addresses and * here"}
		}
		*p = append(*p, name)
		return nil
	})
}

// httpsURL is the address of somebody to be trusted; empty is none.
func httpsURL(p *string) target {
	read := text(p)
	return target{
		set: func(v any) error {
			if err := read.set(v); err != nil {
				return err
			}
			if u, err := url.Parse(*p); *p != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
				return &Problem{"which is no https:// address", "write one like https://acme-staging-v02.api.letsencrypt.org/directory"}
			}
			return nil
		},
		show: read.show,
	}
}
