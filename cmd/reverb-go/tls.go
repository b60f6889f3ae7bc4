package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// httpProtocols are what is spoken below TLS. WebSockets begin in HTTP/1.1.
var httpProtocols = []string{"http/1.1"}

// certificateFiles are those of the configured certificate, or of the one that Herd or Valet has made for the hostname.
func certificateFiles(cfg *config.Config) config.TLS {
	if cfg.TLS.Enabled() {
		return cfg.TLS
	}
	return developmentCertificate(cfg.Hostname)
}

// newTLSConfig reads the certificate; nil without one.
func newTLSConfig(cfg *config.Config) (*tls.Config, error) {
	options := certificateFiles(cfg)
	if !options.Enabled() {
		return nil, nil
	}
	return readTLS(options)
}

// isSecure reports whether the server has TLS: with certificates that it gets, or with files, which have to be usable.
func isSecure(cfg *config.Config) (bool, error) {
	if len(cfg.ACME.Domains) > 0 {
		return true, nil
	}
	t, err := newTLSConfig(cfg)
	return t != nil, err
}

func readTLS(options config.TLS) (*tls.Config, error) {
	cert, err := loadCertificate(options)
	if err != nil {
		return nil, err
	}
	t := &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   httpProtocols,
	}
	if options.VerifyPeer {
		t.ClientAuth = tls.RequireAndVerifyClientCert
		t.ClientCAs, err = loadCAs(options.CAFile)
	}
	return t, err
}

func loadCertificate(options config.TLS) (tls.Certificate, error) {
	if options.LocalCert == "" {
		return tls.Certificate{}, &config.Problem{
			Sentence: "there is a private key (options.tls.local_pk) and no certificate",
			Hint:     "set options.tls.local_cert",
		}
	}
	cert, err := readOption("local_cert", options.LocalCert)
	if err != nil {
		return tls.Certificate{}, err
	}
	key := cert // one file may hold both
	if options.LocalPK != "" {
		if key, err = readOption("local_pk", options.LocalPK); err != nil {
			return tls.Certificate{}, err
		}
	}
	if key, err = decryptKey(key, options.Passphrase); err != nil {
		return tls.Certificate{}, tlsProblem(options, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return pair, tlsProblem(options, err)
	}
	return pair, nil
}

func tlsProblem(options config.TLS, err error) error {
	files := options.LocalCert
	if options.LocalPK != "" {
		files += " and " + options.LocalPK
	}
	hint := "local_cert is a PEM file with the certificate and its chain, local_pk one with its private key; the two may be one file"
	switch {
	case errors.Is(err, errPassphrase):
		hint = "options.tls.passphrase is the one that the key was made with"
	case errors.Is(err, errEncryption):
		hint = `"openssl pkcs8 -topk8 -in FILE" writes it anew in a way that is`
	}
	return &config.Problem{Sentence: fmt.Sprintf("%s cannot be used for TLS: %v", files, err), Hint: hint}
}

// loadCAs reads who signs the certificates of clients; nil, without a file, is the system's own.
func loadCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := readOption("cafile", file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, &config.Problem{Sentence: file + " holds no certificate", Hint: "options.tls.cafile is a PEM file"}
	}
	return pool, nil
}

func readOption(name, file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	var path *fs.PathError
	if errors.As(err, &path) {
		return nil, &config.Problem{
			Sentence: fmt.Sprintf("options.tls.%s: %s cannot be read: %v", name, file, path.Err),
			Hint:     "does it exist, and may this user read it?",
		}
	}
	return text, err
}
