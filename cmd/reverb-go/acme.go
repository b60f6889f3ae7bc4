package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/acme"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// openACME makes what gets certificates, until the node is closed; nil, if nobody has asked for that. A throw-away app
// has no name that an authority could ask.
func (n *node) openACME() (*acme.Manager, error) {
	o := n.cfg.ACME
	if len(o.Domains) == 0 || n.apps.throwAway {
		return nil, nil
	}
	if n.cfg.TLS.LocalCert != "" || n.cfg.TLS.LocalPK != "" {
		return nil, &config.Problem{Sentence: "there are a certificate (options.tls.local_cert) and a domain to get one for (acme.domain)", Hint: "unset one of them"}
	}
	folder, err := acmeFolder(o.Storage)
	if err != nil {
		return nil, err
	}
	var client *tls.Config
	if n.cfg.TLS.VerifyPeer {
		client = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}
		if client.ClientCAs, err = loadCAs(n.cfg.TLS.CAFile); err != nil {
			return nil, err
		}
	}
	m := acme.New(acme.Options{
		Domains: o.Domains, Email: o.Email, Directory: o.Directory, Folder: folder,
		HTTP: o.Challenge == config.ChallengeHTTP, HTTPPort: o.HTTPPort, TLSPort: tlsPort(n.cfg), Client: client, Logger: n.out.log,
	})
	n.onClose(m.Close)
	return m, nil
}

// startACME begins to get what is missing. A process that has taken over serves in any case.
func (n *node) startACME() error {
	if n.acme == nil {
		return nil
	}
	err := n.acme.Start()
	if err != nil && n.in != nil {
		n.out.log.Error("certificates are not renewed", "err", err)
		return nil
	}
	return err
}

// tlsPort is where the server listens for TLS.
func tlsPort(cfg *config.Config) int {
	if cfg.Host != config.HostOff {
		return cfg.Port
	}
	for _, a := range cfg.Listen {
		if a.Network == "tcp" && a.TLS != config.Never {
			_, port, _ := net.SplitHostPort(a.Address) // it was parsed
			n, _ := strconv.Atoi(port)
			return n
		}
	}
	return cfg.Port
}

// acmeFolder returns the folder for keys and certificates, which nobody else may read.
func acmeFolder(said string) (string, error) {
	folder := said
	if folder == "" {
		base := os.Getenv("STATE_DIRECTORY") // systemd's
		if base == "" {
			home, err := os.UserConfigDir()
			if err != nil {
				return "", &config.Problem{Sentence: fmt.Sprintf("there is no folder for certificates: %v", err), Hint: "REVERB_GO_ACME_STORAGE names one"}
			}
			base = filepath.Join(home, "reverb-go")
		}
		folder = filepath.Join(base, "acme")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", &config.Problem{Sentence: fmt.Sprintf("the folder for certificates cannot be made: %v", err), Hint: "REVERB_GO_ACME_STORAGE names another one"}
	}
	return folder, nil
}
