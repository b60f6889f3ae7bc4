package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"
)

// Certificates are usually renewed a month before they expire.
const soon = 14 * 24 * time.Hour

// checkCertificate looks at the one in the server's own configuration.
func checkCertificate(_ context.Context, r *report, p Patient) {
	if p.Certificate != nil {
		judgeCertificate(r, "the server's certificate", p.Certificate, p.Now())
	}
}

func judgeCertificate(r *report, what string, cert *x509.Certificate, now time.Time) {
	const fix = "renew it, for instance with \"certbot renew\", and reload what serves it"
	days := int(cert.NotAfter.Sub(now) / (24 * time.Hour))
	date := cert.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case now.After(cert.NotAfter):
		r.problem(fmt.Sprintf("%s has expired on %s", what, date), fix)
	case now.Before(cert.NotBefore):
		r.problem(fmt.Sprintf("%s is valid only from %s on", what, cert.NotBefore.UTC().Format(time.DateTime)), "is this machine's clock right?")
	case cert.NotAfter.Sub(now) < soon:
		r.warn(fmt.Sprintf("%s expires in %d days, on %s", what, days, date), fix)
	default:
		r.ok(fmt.Sprintf("%s is valid for %d days, until %s", what, days, date))
	}
}
