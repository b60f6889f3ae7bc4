package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdCertificates writes
//
//	ca.pem               who signs the others
//	server.crt, .key     for 127.0.0.1 and app.test
//	server.pem           both in one file
//	client.pem           certificate and key of a client
func cmdCertificates(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "certificates")
	ca := issue(ts.Check, "ca", nil)
	server := issue(ts.Check, "app.test", ca)
	client := issue(ts.Check, "client", ca)
	write := func(name string, text []byte) { ts.Check(os.WriteFile(ts.MkAbs(name), text, 0o600)) }
	write("ca.pem", ca.cert)
	write("server.crt", server.cert)
	write("server.key", server.key)
	write("server.pem", append(server.cert, server.key...))
	write("client.pem", append(client.cert, client.key...))
}

// issued is a certificate with its key, also as PEM files.
type issued struct {
	template  *x509.Certificate
	private   *ecdsa.PrivateKey
	cert, key []byte
}

// issue makes a certificate that is signed by ca, or by itself without one.
func issue(check func(error), name string, ca *issued) *issued {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	i := &issued{private: private, template: &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  ca == nil,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:              []string{name},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}}
	if ca == nil {
		ca = i
	}
	cert, err := x509.CreateCertificate(rand.Reader, i.template, ca.template, private.Public(), ca.private)
	check(err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	check(err)
	i.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	i.key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	return i
}

// clientCertificate takes a leading "-cert FILE" off the arguments. Who serves has to have a certificate of
// ca.pem, if that was made.
func clientCertificate(ts *testscript.TestScript, config *tls.Config, args []string) []string {
	if ca, err := os.ReadFile(ts.MkAbs("ca.pem")); err == nil {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(ca)
	}
	if len(args) > 1 && args[0] == "-cert" {
		pair, err := tls.LoadX509KeyPair(ts.MkAbs(args[1]), ts.MkAbs(args[1]))
		ts.Check(err)
		config.Certificates = []tls.Certificate{pair}
		return args[2:]
	}
	return args
}
