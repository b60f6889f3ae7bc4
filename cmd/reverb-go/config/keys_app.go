package config

import (
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

// appKeys are the settings of one app, stored in a.
func appKeys(a *App) []key {
	d := auth.DefaultApp()
	return []key{
		{name: "app_id", env: "REVERB_APP_ID", def: "", to: text(&a.ID)},
		{name: "key", env: "REVERB_APP_KEY", def: "", to: text(&a.Key)},
		{name: "secret", env: "REVERB_APP_SECRET", def: "", to: text(&a.Secret), secret: true},
		{name: "allowed_origins", def: d.AllowedOrigins, to: list(&a.AllowedOrigins)},
		{name: "ping_interval", env: "REVERB_APP_PING_INTERVAL", def: d.PingInterval, to: duration(&a.PingInterval, time.Second)},
		{name: "activity_timeout", env: "REVERB_APP_ACTIVITY_TIMEOUT", def: d.ActivityTimeout, to: duration(&a.ActivityTimeout, time.Second)},
		{name: "max_connections", env: "REVERB_APP_MAX_CONNECTIONS", def: nil, to: limit(&a.MaxConnections)},
		{name: "max_message_size", env: "REVERB_APP_MAX_MESSAGE_SIZE", def: d.MaxMessageSize, to: number(&a.MaxMessageSize, 0)},
		{name: "accept_client_events_from", env: "REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM", def: "members", bare: "all", to: clientEvents(&a.ClientEvents)},
		{name: "rate_limiting.enabled", env: "REVERB_APP_RATE_LIMITING_ENABLED", def: false, to: truth(&a.RateLimit.Enabled)},
		{name: "rate_limiting.max_attempts", env: "REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS", def: d.RateLimit.MaxAttempts, to: number(&a.RateLimit.MaxAttempts, 0)},
		{name: "rate_limiting.decay_seconds", env: "REVERB_APP_RATE_LIMIT_DECAY_SECONDS", def: d.RateLimit.Decay, bare: 1, to: duration(&a.RateLimit.Decay, time.Second)},
		{name: "rate_limiting.terminate_on_limit", env: "REVERB_APP_RATE_LIMIT_TERMINATE", def: false, to: truth(&a.RateLimit.Terminate)},
		{name: "cache_ttl", env: "REVERB_GO_CACHE_TTL", def: d.CacheTTL, to: duration(&a.CacheTTL, 0)},
		{name: "timestamp_tolerance", env: "REVERB_GO_TIMESTAMP_TOLERANCE", def: d.TimestampTolerance, to: duration(&a.TimestampTolerance, 0)},
		{name: "enabled", env: "REVERB_GO_APP_ENABLED", def: true, to: not(&a.IsDisabled)},
		{name: "previous_secret", env: "REVERB_GO_PREVIOUS_SECRET", def: "", to: text(&a.PreviousSecret), secret: true},
		{name: "user_authentication_timeout", env: "REVERB_GO_USER_AUTHENTICATION_TIMEOUT", def: 0, to: duration(&a.AuthTimeout, 0)},
		{name: "subscription_count", env: "REVERB_GO_SUBSCRIPTION_COUNT", def: false, to: truth(&a.CountSubscriptions)},
		{name: "compression", env: "REVERB_GO_COMPRESSION", def: "off", to: compression(&a.Compression)},
		{name: "max_presence_members", env: "REVERB_GO_MAX_PRESENCE_MEMBERS", def: 0, to: number(&a.MaxMembers, 0)},
		{name: "max_presence_member_size", env: "REVERB_GO_MAX_PRESENCE_MEMBER_SIZE", def: 0, to: number(&a.MaxMemberSize, 0)},
		{name: "max_subscriptions", env: "REVERB_GO_MAX_SUBSCRIPTIONS", def: 0, to: number(&a.MaxSubscriptions, 0)},
		{name: "max_connections_per_ip", env: "REVERB_GO_MAX_CONNECTIONS_PER_IP", def: 0, to: number(&a.MaxConnectionsPerIP, 0)},
		{name: "max_messages_per_second", env: "REVERB_GO_MAX_MESSAGES_PER_SECOND", def: 0, to: number(&a.MaxMessages, 0)},
		{name: "max_client_events_per_second", env: "REVERB_GO_MAX_CLIENT_EVENTS_PER_SECOND", def: 0, to: number(&a.MaxClientEvents, 0)},
		{name: "max_client_event_size", env: "REVERB_GO_MAX_CLIENT_EVENT_SIZE", def: 0, to: number(&a.MaxClientEventSize, 0)},
		{name: "max_api_events_per_second", env: "REVERB_GO_MAX_API_EVENTS_PER_SECOND", def: 0, to: number(&a.MaxAPIEvents, 0)},
		{name: "max_api_reads_per_second", env: "REVERB_GO_MAX_API_READS_PER_SECOND", def: 0, to: number(&a.MaxAPIReads, 0)},
		{name: "webhooks", def: "", to: blocks(&a.Hooks.Endpoints, endpointFields, hostOf)},
		{name: "webhook_url", env: "REVERB_GO_WEBHOOK_URL", def: "", to: text(&a.webhook.URL), secret: true},
		{name: "webhook_events", env: "REVERB_GO_WEBHOOK_EVENTS", def: "", to: words(&a.webhook.Events)},
		{name: "webhook_channels", env: "REVERB_GO_WEBHOOK_CHANNELS", def: "", to: words(&a.webhook.Channels)},
		{name: "jobs", def: "", to: blocks(&a.Hooks.Jobs, jobFields, classOf)},
		{name: "jobs_class", env: "REVERB_GO_JOBS_CLASS", def: "", to: text(&a.job.Class)},
		{name: "jobs_queue", env: "REVERB_GO_JOBS_QUEUE", def: "", to: text(&a.job.Queue)},
		{name: "streams", def: "", to: blocks(&a.Hooks.Streams, streamFields, keyOf)},
		{name: "event_stream", env: "REVERB_GO_EVENT_STREAM", def: "", to: text(&a.stream.Key)},
		{name: "options.host", env: "REVERB_HOST", def: "", to: text(&a.Host)},
		{name: "options.port", env: "REVERB_PORT", def: "443", to: text(&a.Port)},
		{name: "options.scheme", env: "REVERB_SCHEME", def: "https", to: text(&a.Scheme)},
	}
}
