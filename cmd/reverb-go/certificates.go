package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// certificates keep the certificate of files in use that may change: whoever renews it need not tell the server. A nil one
// has nothing to keep.
type certificates struct {
	options config.TLS
	log     *slog.Logger
	inUse   atomic.Pointer[tls.Config]

	mu   sync.Mutex    // guards seen, and held while the files are read
	seen []os.FileInfo // of the files, as they were read; nil for one that is not there
}

// certificatePeriod is how often the files are looked at. What is told of a change is not the same on all file systems,
// and not at all on some.
const certificatePeriod = 5 * time.Second

// openCertificates reads the files of the configuration; nil, if it has none.
func openCertificates(cfg *config.Config, log *slog.Logger) (*certificates, error) {
	options := certificateFiles(cfg)
	if !options.Enabled() {
		return nil, nil
	}
	c := &certificates{options: options, log: log}
	_, err := c.refresh(true)
	return c, err
}

// tls returns what listeners are given: each connection gets what is in use by then.
func (c *certificates) tls() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         httpProtocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.inUse.Load(), nil },
	}
}

// refresh reads the files if they have changed, or in any case, and reports whether there is another certificate in them. On
// an error the old one stays in use. A fault is told of once, unless it is asked for.
func (c *certificates) refresh(always bool) (isNew bool, err error) {
	if c == nil {
		return false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	if !always && slices.EqualFunc(now, c.seen, isSameState) {
		return false, nil
	}
	c.seen = now
	next, err := readTLS(c.options)
	if err != nil {
		return false, err
	}
	old := c.inUse.Swap(next)
	return old != nil && !slices.EqualFunc(old.Certificates[0].Certificate, next.Certificates[0].Certificate, slices.Equal), nil
}

func (c *certificates) look() (all []os.FileInfo) {
	for _, name := range []string{c.options.LocalCert, c.options.LocalPK, c.options.CAFile} {
		info, _ := os.Stat(name)
		all = append(all, info)
	}
	return all
}

// isSameState reports whether a file is what it was. Links are followed: those who renew certificates put new ones in
// their place.
func isSameState(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// watch looks at the files until ctx ends.
func (c *certificates) watch(ctx context.Context, period time.Duration) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		isNew, err := c.refresh(false)
		if err != nil {
			p := problemOf(err)
			c.log.Error("the certificate stays as it was: "+p.Sentence, "hint", p.Hint)
		} else if isNew {
			c.log.Info("certificate read again", "until", c.until())
		}
	}
}

// until is when the certificate expires.
func (c *certificates) until() time.Time { return c.inUse.Load().Certificates[0].Leaf.NotAfter }

// openCertificates reads the certificate and watches its files until the node is closed.
func (n *node) openCertificates() (err error) {
	if n.certificates, err = openCertificates(n.cfg, n.out.log); n.certificates == nil || err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.certificates.watch(ctx, certificatePeriod)
	}()
	n.onClose(func() {
		cancel()
		<-done
	})
	return nil
}
