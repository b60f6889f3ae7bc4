package sqlapps

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

// Record is a row of the table.
type Record struct {
	auth.App                          // settings as they are stored, not yet ready for use
	PreviousSecretExpiresAt time.Time // zero is never
	CreatedAt, UpdatedAt    time.Time // zero is unknown
}

// NewRecord returns a record with the defaults and no credentials.
func NewRecord() *Record { return &Record{App: auth.DefaultApp()} }

// A Setting is a column that says how an app is served. NULL stands for the default.
type Setting struct {
	Column string
	Help   string
	Value  Value
}

// A Value reads and writes a setting as text.
type Value interface {
	String() string
	Set(string) error
	Type() string // text, number, seconds, bool, list or word
}

// Settings returns the settings of the record, in the order of the table. Setting a value changes the record.
func (r *Record) Settings() []Setting {
	d := auth.DefaultApp()
	return []Setting{
		{"allowed_origins", "Hosts of pages that may connect, * standing for any characters", &list{&r.AllowedOrigins, d.AllowedOrigins}},
		{"ping_interval", "Silence after which a client is pinged", &seconds{&r.PingInterval, d.PingInterval}},
		{"activity_timeout", "Silence after which a client pings", &seconds{&r.ActivityTimeout, d.ActivityTimeout}},
		{"max_connections", "Connections; -1 is no limit", &number{&r.MaxConnections, d.MaxConnections}},
		{"max_connections_per_ip", "Connections from one address; 0 is no limit", &number{&r.MaxConnectionsPerIP, d.MaxConnectionsPerIP}},
		{"max_message_size", "Bytes of one message from a client; 0 is no limit", &number{&r.MaxMessageSize, d.MaxMessageSize}},
		{"max_messages_per_second", "Messages from one connection; 0 is no limit", &number{&r.MaxMessages, d.MaxMessages}},
		{"max_subscriptions", "Subscriptions of one connection; 0 is no limit", &number{&r.MaxSubscriptions, d.MaxSubscriptions}},
		{"accept_client_events_from", "Whose client events are accepted: all, members or none", &word[auth.ClientEvents]{&r.ClientEvents, d.ClientEvents, clientEventWords}},
		{"max_client_events_per_second", "Client events from one connection; 0 is no limit", &number{&r.MaxClientEvents, d.MaxClientEvents}},
		{"max_client_event_size", "Bytes of the data of a client event; 0 is no limit", &number{&r.MaxClientEventSize, d.MaxClientEventSize}},
		{"rate_limiting_enabled", "Whether the messages of a connection are limited as below", &boolean{&r.RateLimit.Enabled, d.RateLimit.Enabled}},
		{"rate_limiting_max_attempts", "Messages in each window", &number{&r.RateLimit.MaxAttempts, d.RateLimit.MaxAttempts}},
		{"rate_limiting_decay_seconds", "Length of the window", &seconds{&r.RateLimit.Decay, d.RateLimit.Decay}},
		{"rate_limiting_terminate_on_limit", "Whether a connection that exceeds it is closed", &boolean{&r.RateLimit.Terminate, d.RateLimit.Terminate}},
		{"max_api_events_per_second", "Events published through the HTTP API; 0 is no limit", &number{&r.MaxAPIEvents, d.MaxAPIEvents}},
		{"max_api_reads_per_second", "Other requests to the HTTP API; 0 is no limit", &number{&r.MaxAPIReads, d.MaxAPIReads}},
		{"timestamp_tolerance", "Age of a signed request; 0 is not checked", &seconds{&r.TimestampTolerance, d.TimestampTolerance}},
		{"max_presence_members", "Members of a presence channel; 0 is no limit", &number{&r.MaxMembers, d.MaxMembers}},
		{"max_presence_member_size", "Bytes of what a member says of itself; 0 is no limit", &number{&r.MaxMemberSize, d.MaxMemberSize}},
		{"subscription_count", "Whether subscribers are told how many they are", &boolean{&r.CountSubscriptions, d.CountSubscriptions}},
		{"user_authentication_timeout", "Time in which to sign in; 0 is not asked for", &seconds{&r.AuthTimeout, d.AuthTimeout}},
		{"compression", "Whether clients that offer compression get it: off or auto", &word[auth.Compression]{&r.Compression, d.Compression, compressionWords}},
		{"cache_ttl", "For how long a cache channel remembers its event", &seconds{&r.CacheTTL, d.CacheTTL}},
	}
}

// columns returns where each column is read into and written from.
func (r *Record) columns() map[string]any {
	all := map[string]any{
		"id": &r.ID, "key": &r.Key, "secret": &r.Secret,
		"previous_secret":            nullable[string]{&r.PreviousSecret},
		"previous_secret_expires_at": nullable[time.Time]{&r.PreviousSecretExpiresAt},
		"enabled":                    enabled{&r.IsDisabled},
		"created_at":                 nullable[time.Time]{&r.CreatedAt},
		"updated_at":                 nullable[time.Time]{&r.UpdatedAt},
	}
	for _, s := range r.Settings() {
		all[s.Column] = s.Value
	}
	return all
}

// A rowError says that a row cannot be used. The database itself is well.
type rowError struct {
	id  string
	err error
}

func (e *rowError) Error() string {
	return fmt.Sprintf("the row of app %q in reverb_apps cannot be used: %v", e.id, e.err)
}

// scan reads a row. Columns that the table has and we do not know are left out, and those that it lacks have
// their default: so the table may be older or newer, or an application's own with just the credentials.
func scan(rows *sql.Rows) (*Record, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	r := NewRecord()
	columns := r.columns()
	into := make([]any, len(names))
	for i, name := range names {
		if into[i] = columns[strings.ToLower(name)]; into[i] == nil {
			into[i] = new(any)
		}
	}
	if err := rows.Scan(into...); err != nil {
		return nil, &rowError{r.ID, scanFault(names, err)}
	}
	for _, name := range []string{"id", "key", "secret"} {
		if *columns[name].(*string) == "" {
			return nil, &rowError{r.ID, fmt.Errorf("its %s is empty", name)}
		}
	}
	return r, nil
}

// scanFault leaves out what database/sql says of the value, which may be a secret.
func scanFault(names []string, err error) error {
	for _, name := range names {
		if strings.Contains(err.Error(), fmt.Sprintf("name %q", name)) {
			return fmt.Errorf("its %s has no meaning", name)
		}
	}
	return errors.New("a column has another type than it should")
}

// isSame reports whether two records make the same app.
func (r *Record) isSame(other *Record) bool {
	return r.PreviousSecretExpiresAt.Equal(other.PreviousSecretExpiresAt) && reflect.DeepEqual(r.App, other.App)
}

// apps returns the app as it is served, and as it is after its previous secret has expired.
func (r *Record) apps() (now, later *auth.App, err error) {
	if now, err = auth.NewApp(r.App); err != nil {
		return nil, nil, err
	}
	if r.PreviousSecret == "" || r.PreviousSecretExpiresAt.IsZero() {
		return now, now, nil
	}
	without := r.App
	without.PreviousSecret = ""
	later, err = auth.NewApp(without)
	return now, later, err
}
