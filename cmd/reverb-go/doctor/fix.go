package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

// originFor is a page that may connect; "" if any may.
func originFor(a App) string {
	for _, origin := range a.AllowedOrigins {
		if !strings.Contains(origin, "*") {
			return a.Browser.URL.Scheme + "://" + origin
		}
	}
	return ""
}

const upgradeFix = "the proxy has to pass the request on as one for a WebSocket: in nginx, proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; in Apache, mod_proxy_wstunnel; \"reverb-go setup nginx\" prints a configuration that fits"

// connectFix says what to do when a connection cannot be opened.
func connectFix(a App, err error) string {
	var refused *pusher.HandshakeError
	var closed *pusher.CloseError
	switch {
	case errors.As(err, &refused):
		return statusFix(refused.Status, refused.Header, refused.Body)
	case errors.As(err, &closed):
		return closeFix(a, closed)
	}
	return dialFix(err)
}

func closeFix(a App, closed *pusher.CloseError) string {
	switch closed.Code {
	case 4001:
		return fmt.Sprintf("the server there has no app with the key %q: is it another server, or was it not restarted after a change?", a.Key)
	case 4003:
		return "the app is disabled there"
	case 4004:
		return "the app has as many connections as it may have: raise REVERB_APP_MAX_CONNECTIONS"
	case 4009:
		return "the server lets no page of this origin connect: add its host to allowed_origins"
	case 4100:
		return "the server is at a limit, which its log and its metrics name"
	}
	return "the log of the server says more; start --debug shows every message"
}

// statusFix says what an answer to a handshake or a request means that a server of ours would not give.
func statusFix(status int, header http.Header, body string) string {
	switch {
	case status == http.StatusUpgradeRequired, strings.Contains(body, "Upgrade"):
		return upgradeFix
	case strings.Contains(body, "plain HTTP request was sent to HTTPS port"):
		return "that port speaks TLS: set the scheme to https"
	case status >= 300 && status < 400:
		return fmt.Sprintf("it redirects to %q, and clients do not follow: use that address, or serve this one without a redirect", header.Get("Location"))
	case status == http.StatusOK:
		return "something else answers there, such as the app's own pages: let the proxy pass on the paths /app/ and /apps/ to this server"
	case status == http.StatusNotFound:
		return "nothing is at that path: let the proxy pass on /app/ and /apps/ unchanged; REVERB_SERVER_PATH is what stands before them"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "a proxy lets nobody in there: take /app/ and /apps/ out of its password or address list"
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return "the proxy does not reach this server: is it running, and is the address in proxy_pass the one it listens on?"
	}
	return "find out who answers that: the log of the proxy says more"
}

// dialFix says what to do when not even a connection is made, or no TLS is spoken on it.
func dialFix(err error) string {
	var (
		dns     *net.DNSError
		expired x509.CertificateInvalidError
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		noTLS   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dns):
		return "is the host's name written right, and is there a DNS record for it?"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "is the port right, and is the proxy or the server running?"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "is the port right? A server that speaks TLS, or another protocol, ends connections like this"
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		return "the certificate has expired, or this machine's clock is wrong: renew it, for instance with \"certbot renew\", and reload what serves it"
	case errors.As(err, &name):
		return "the certificate is for other names: get one for this name, or use one of those"
	case errors.As(err, &unknown):
		return "nobody whom this machine trusts has signed the certificate: is the chain (fullchain.pem) served? --insecure believes it"
	case errors.As(err, &noTLS), strings.Contains(err.Error(), "malformed HTTP"):
		return "one side speaks TLS and the other does not: compare the scheme with the port"
	}
	return "is the address right, and does a firewall let it through? From inside a network, a public address may lead nowhere"
}
