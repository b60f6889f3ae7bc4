package pusher

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

// A Server is a Pusher server, and an app of it.
type Server struct {
	URL *url.URL // http or https; its path is the prefix of all routes, without a slash at the end
	App *auth.App
	TLS *tls.Config // nil is the system's idea of whom to trust
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 16 << 20

// answerTime is how long a server may take to answer.
const answerTime = 15 * time.Second

// A StatusError is an answer that is none of the expected ones.
type StatusError struct {
	Status int
	Body   []byte
	Header http.Header
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, http.StatusText(e.Status), bytes.TrimSpace(e.Body[:min(len(e.Body), 300)]))
}

// Do makes a signed request and returns the body of its answer. path is the escaped one below /apps/{id}, such as
// "/channels". Any status but 200 is a [*StatusError].
func (s *Server) Do(ctx context.Context, method, path string, parameters url.Values, body []byte) ([]byte, error) {
	// Signed without the prefix, which both Reverb and its PHP library leave out.
	path = "/apps/" + url.PathEscape(s.App.ID) + path
	query := s.App.SignRequest(method, path, parameters, body, time.Now())
	return s.send(ctx, method, path+"?"+query, body)
}

// Get asks for what needs no signature, such as "/up".
func (s *Server) Get(ctx context.Context, path string) ([]byte, http.Header, error) {
	return s.exchange(ctx, http.MethodGet, path, nil)
}

func (s *Server) send(ctx context.Context, method, target string, body []byte) ([]byte, error) {
	answer, _, err := s.exchange(ctx, method, target, body)
	return answer, err
}

func (s *Server) exchange(ctx context.Context, method, target string, body []byte) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL.String()+target, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	transport := &http.Transport{TLSClientConfig: s.TLS, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport, CheckRedirect: stay}).Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &StatusError{resp.StatusCode, answer, resp.Header}
	}
	return answer, resp.Header, err
}

// stay follows no redirect: the signature covers the path, and clients follow none either.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
