package domain

import "time"

// User is somebody with an account.
type User struct {
	ID           int64
	Name         string
	Username     string
	AvatarURL    string
	PasswordHash string
	IsAdmin      bool
	CreatedAt    time.Time
}

// SessionKind says how a session is proved.
type SessionKind string

// A browser has a cookie, a program a bearer token.
const (
	CookieSession SessionKind = "cookie"
	TokenSession  SessionKind = "token"
)

// Session is a signed-in browser or program. Only hashes of what proves it are kept.
type Session struct {
	ID        int64
	UserID    int64
	Kind      SessionKind
	Hash      string // of the current proof
	CSRF      string // seed of the CSRF token; lives as long as the session
	RotatedAt time.Time
	ExpiresAt time.Time
}
