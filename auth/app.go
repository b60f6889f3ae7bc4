package auth

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// App holds the credentials, limits and rules of one app. Make one with [NewApp]; from then on it is
// immutable and may be used from any goroutine.
type App struct {
	ID     string // path segment of the HTTP API
	Key    string // path segment of the WebSocket URL; public
	Secret string // signs; never shown

	PingInterval       time.Duration // silence after which a connection is pinged
	ActivityTimeout    time.Duration // announced to clients, in whole seconds
	AllowedOrigins     []string      // hosts, "*" standing for any run of characters
	MaxMessageSize     int           // bytes of one message from a client; 0 is unlimited
	MaxConnections     int           // -1 is unlimited, 0 refuses everyone
	ClientEvents       ClientEvents  // who may send client events
	RateLimit          RateLimit     // messages from one connection
	CacheTTL           time.Duration // how long a cache channel remembers its event
	TimestampTolerance time.Duration // how old or early a signed request may be; 0 is unchecked

	// What Laravel Reverb does not have. 0 is no limit.
	PreviousSecret      string        // still accepted after a rotation; never shown
	IsDisabled          bool          // refuse clients and requests
	AuthTimeout         time.Duration // to sign in, or subscribe where it takes a signature; 0 is not asked for
	CountSubscriptions  bool          // tell subscribers how many they are
	MaxMembers          int           // of a presence channel
	MaxMemberSize       int           // bytes of channel_data
	MaxSubscriptions    int           // of one connection
	MaxConnectionsPerIP int
	MaxMessages         int // from one connection in a second
	MaxClientEvents     int // of those, client events
	MaxClientEventSize  int // bytes of a client event's data
	MaxAPIEvents        int // published through the HTTP API in a second
	MaxAPIReads         int // other requests to the HTTP API in a second
	Compression         Compression

	mac      mac
	previous *mac // nil unless there is a PreviousSecret
}

// ClientEvents says whose client events are accepted.
type ClientEvents uint8

// The values of ClientEvents. Laravel Reverb takes any word but "all" and "members" as none.
const (
	ClientEventsNone    ClientEvents = iota
	ClientEventsMembers              // connections subscribed to the channel
	ClientEventsAll                  // any connection of the app
)

// Compression says whether connections may be compressed.
type Compression uint8

// The values of Compression. Laravel Reverb has none.
const (
	CompressionOff  Compression = iota
	CompressionAuto             // for clients that offer it
)

// RateLimit bounds the messages one connection may send: MaxAttempts in each window of Decay.
type RateLimit struct {
	Enabled     bool
	MaxAttempts int
	Decay       time.Duration
	Terminate   bool // close the connection that exceeds it
}

// DefaultApp returns an app with the values of Laravel's stock configuration and no credentials.
func DefaultApp() App {
	return App{
		PingInterval:       60 * time.Second,
		ActivityTimeout:    30 * time.Second,
		AllowedOrigins:     []string{"*"},
		MaxMessageSize:     10_000,
		MaxConnections:     -1,
		ClientEvents:       ClientEventsMembers,
		RateLimit:          RateLimit{MaxAttempts: 60, Decay: 60 * time.Second},
		CacheTTL:           30 * time.Minute,
		TimestampTolerance: 600 * time.Second,
	}
}

// NewApp checks a and makes it ready for use. It fills in nothing: start from [DefaultApp].
func NewApp(a App) (*App, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	a.AllowedOrigins = slices.Clone(a.AllowedOrigins)
	a.mac = newMAC(a.Secret)
	if a.PreviousSecret != "" {
		previous := newMAC(a.PreviousSecret)
		a.previous = &previous
	}
	return &a, nil
}

// validate reports the first setting no server could work with.
func (a *App) validate() error {
	for _, c := range []struct {
		bad        bool
		what, hint string
	}{
		{a.ID == "", "app_id is empty", "set REVERB_APP_ID"},
		{a.Key == "", "key is empty", "set REVERB_APP_KEY"},
		{a.Secret == "", "secret is empty", "set REVERB_APP_SECRET"},
		{a.ActivityTimeout < time.Second, "activity_timeout must be at least 1 second", "pusher-js refuses 0 (REVERB_APP_ACTIVITY_TIMEOUT)"},
		{a.PingInterval < time.Second, "ping_interval must be at least 1 second", "60 is usual (REVERB_APP_PING_INTERVAL)"},
		{a.MaxMessageSize < 0, "max_message_size must not be negative", "0 is no limit (REVERB_APP_MAX_MESSAGE_SIZE)"},
		{a.MaxConnections < -1, "max_connections must not be negative", "leave REVERB_APP_MAX_CONNECTIONS out for no limit"},
		{a.RateLimit.MaxAttempts < 0, "rate_limiting.max_attempts must not be negative", "set REVERB_APP_RATE_LIMITING_ENABLED=false for no limit (REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS)"},
		{a.RateLimit.Decay < 0, "rate_limiting.decay_seconds must not be negative", "60 is usual (REVERB_APP_RATE_LIMIT_DECAY_SECONDS)"},
		{a.CacheTTL < 0, "cache_ttl must not be negative", "30m is usual"},
		{a.AuthTimeout < 0, "user_authentication_timeout must not be negative", "leave it out to ask nobody"},
		{min(a.MaxMembers, a.MaxMemberSize, a.MaxSubscriptions, a.MaxConnectionsPerIP, a.MaxMessages, a.MaxClientEvents, a.MaxClientEventSize, a.MaxAPIEvents, a.MaxAPIReads) < 0,
			"limits must not be negative", "leave a limit out, or set it to 0, for none"},
		{a.TimestampTolerance < 0, "the tolerance of timestamps must not be negative", "0 checks none, 600s is usual"},
	} {
		if c.bad {
			return fmt.Errorf("app %q: %s; hint: %s", a.ID, c.what, c.hint)
		}
	}
	return nil
}

// The following methods show an app wherever Go would otherwise print its fields. They have value
// receivers so that a copied App keeps the secret too.

// String names the app.
func (a App) String() string { return fmt.Sprintf("app %q (key %q)", a.ID, a.Key) }

// Format writes String under every verb, %+v and %#v included.
func (a App) Format(s fmt.State, _ rune) { io.WriteString(s, a.String()) }

// MarshalText makes String what JSON, XML and YAML contain.
func (a App) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// LogValue is the app in structured logs.
func (a App) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.String("key", a.Key))
}
