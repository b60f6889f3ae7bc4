package http

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

const (
	sessionCookie = "messaging_session"
	csrfCookie    = "XSRF-TOKEN"

	// rotateAfter is how long a cookie's value is good, rotateGrace for how long after that it is still taken.
	rotateAfter = 10 * time.Minute
	rotateGrace = time.Minute

	tokenLifetime = 365 * 24 * time.Hour
)

// authenticate finds out who asks, and sees to it that the browser has the cookies it should have.
func (r *request) authenticate() error {
	if token, ok := strings.CutPrefix(string(r.http.Request.Header.Peek("Authorization")), "Bearer "); ok {
		return r.recognize(domain.TokenSession, token)
	}
	cookie := string(r.http.Request.Header.Cookie(sessionCookie))
	if cookie != "" {
		if err := r.recognize(domain.CookieSession, cookie); err != nil {
			return err
		}
	}
	if r.user != nil {
		r.csrf = r.server.csrfToken(r.session)
		if err := r.rotate(cookie); err != nil {
			return err
		}
	} else {
		r.csrf = r.guestToken()
	}
	r.offerToken()
	return nil
}

// recognize looks for the session that a cookie or token proves. One that we cannot have signed costs no query.
func (r *request) recognize(kind domain.SessionKind, proof string) error {
	secret, signature, ok := strings.Cut(proof, ".")
	if !ok || !sameText(signature, r.server.mac("proof", secret)) {
		return nil
	}
	session, user, err := r.server.Store.Session(r.ctx, kind, hash(proof), r.now, rotateGrace)
	if errors.Is(err, domain.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r.session, r.user = session, &user
	return nil
}

// proof is what a cookie or token has to be. It can be made again as long as the session is not rotated, so
// that whoever has lost the answer with the new one can be given it again.
func (s *Server) proof(n domain.Session) string {
	secret := s.mac(string(n.Kind), n.CSRF+strconv.FormatInt(n.RotatedAt.UnixMicro(), 10))
	return secret + "." + s.mac("proof", secret)
}

// rotate replaces the cookie if it is old, or not the newest.
func (r *request) rotate(cookie string) error {
	n := r.session
	if r.now.Sub(n.RotatedAt) >= rotateAfter {
		n.RotatedAt = r.now.Truncate(time.Microsecond)
		n.ExpiresAt = n.RotatedAt.Add(r.server.Lifetime)
		proof := r.server.proof(n)
		won, err := r.server.Store.RotateSession(r.ctx, r.session, hash(proof), n.RotatedAt, n.ExpiresAt)
		if err != nil || !won {
			return err // another request has just done it, and answers with the new one
		}
		r.session = n
	}
	if proof := r.server.proof(r.session); proof != cookie {
		r.setCookie(sessionCookie, proof, true)
	}
	return nil
}

// begin makes a session and returns its proof.
func (r *request) begin(user domain.User, kind domain.SessionKind, lifetime time.Duration) (string, error) {
	seed := make([]byte, 32)
	rand.Read(seed)
	at := r.now.Truncate(time.Microsecond)
	n := domain.Session{UserID: user.ID, Kind: kind, CSRF: base64.RawURLEncoding.EncodeToString(seed), RotatedAt: at, ExpiresAt: at.Add(lifetime)}
	proof := r.server.proof(n)
	n.Hash = hash(proof)
	if err := r.server.Store.CreateSession(r.ctx, n); err != nil {
		return "", err
	}
	if kind == domain.CookieSession {
		r.setCookie(sessionCookie, proof, true)
		r.csrf = r.server.csrfToken(n)
		r.offerToken()
	}
	return proof, nil
}

// end forgets the session and gives the browser what guests have.
func (r *request) end() error {
	if err := r.server.Store.DeleteSession(r.ctx, r.session.ID); err != nil {
		return err
	}
	if r.csrf != "" {
		r.setCookie(sessionCookie, "", true)
		r.csrf = r.newGuestToken()
		r.offerToken()
	}
	return nil
}

func (s *Server) csrfToken(n domain.Session) string { return s.mac("csrf", n.CSRF) }

// guestToken is the one that a guest's cookie has, if we have made it, or a new one.
func (r *request) guestToken() string {
	token := string(r.http.Request.Header.Cookie(csrfCookie))
	if nonce, signature, ok := strings.Cut(token, "."); ok && sameText(signature, r.server.mac("guest", nonce)) {
		return token
	}
	return r.newGuestToken()
}

func (r *request) newGuestToken() string {
	nonce := rand.Text()
	return nonce + "." + r.server.mac("guest", nonce)
}

// offerToken sets the cookie that the page reads, unless it is right.
func (r *request) offerToken() {
	if string(r.http.Request.Header.Cookie(csrfCookie)) != r.csrf || len(r.http.Response.Header.PeekCookie(csrfCookie)) > 0 {
		r.setCookie(csrfCookie, r.csrf, false)
	}
}

// showsToken reports whether a request that changes something comes from a page of ours. A program's bearer token
// shows that already, since no browser adds one by itself.
func (r *request) showsToken() bool {
	if r.csrf == "" {
		return true
	}
	token := string(r.http.Request.Header.Peek("X-CSRF-TOKEN"))
	if token == "" {
		token = string(r.http.Request.Header.Peek("X-XSRF-TOKEN")) // as axios does by itself
	}
	// A guest's token has to be the cookie's as well, or everybody could use one that was made for somebody.
	return sameText(token, r.csrf)
}

// setCookie sets a cookie, or takes it back if the value is "".
func (r *request) setCookie(name, value string, httpOnly bool) {
	c := fasthttp.AcquireCookie()
	defer fasthttp.ReleaseCookie(c)
	c.SetKey(name)
	c.SetValue(value)
	c.SetPath("/")
	c.SetHTTPOnly(httpOnly)
	c.SetSecure(r.server.Secure)
	c.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	if value == "" {
		c.SetExpire(fasthttp.CookieExpireDelete)
	} else {
		c.SetMaxAge(int(r.server.Lifetime.Seconds()))
	}
	r.http.Response.Header.SetCookie(c)
}

// mac signs a value for a purpose.
func (s *Server) mac(purpose, value string) string {
	h := hmac.New(sha256.New, s.Key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write([]byte(value))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func hash(proof string) string {
	sum := sha256.Sum256([]byte(proof))
	return hex.EncodeToString(sum[:])
}

func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
