package server_test

import "github.com/reverb-go/reverb-go/auth"

// ownConfig is what apps.json may say beyond the words of config/reverb.php.
type ownConfig struct {
	Enabled                   *bool `json:"enabled"`
	CacheTTL                  *int  `json:"cache_ttl"`
	SubscriptionCount         bool  `json:"subscription_count"`
	UserAuthenticationTimeout *int  `json:"user_authentication_timeout"`
	MaxPresenceMembers        int   `json:"max_presence_members"`
	MaxPresenceMemberSize     int   `json:"max_presence_member_size"`
	MaxSubscriptions          int   `json:"max_subscriptions"`
	MaxConnectionsPerIP       int   `json:"max_connections_per_ip"`
	MaxMessagesPerSecond      int   `json:"max_messages_per_second"`
	MaxClientEventsPerSecond  int   `json:"max_client_events_per_second"`
	MaxClientEventSize        int   `json:"max_client_event_size"`
	MaxAPIEventsPerSecond     int   `json:"max_api_events_per_second"`
	MaxAPIReadsPerSecond      int   `json:"max_api_reads_per_second"`

	Compression string `json:"compression"`
}

func (c ownConfig) apply(a *auth.App) {
	a.IsDisabled = c.Enabled != nil && !*c.Enabled
	setSeconds(&a.CacheTTL, c.CacheTTL)
	a.CountSubscriptions = c.SubscriptionCount
	setSeconds(&a.AuthTimeout, c.UserAuthenticationTimeout)
	a.MaxMembers, a.MaxMemberSize, a.MaxSubscriptions = c.MaxPresenceMembers, c.MaxPresenceMemberSize, c.MaxSubscriptions
	a.MaxConnectionsPerIP, a.MaxMessages = c.MaxConnectionsPerIP, c.MaxMessagesPerSecond
	a.MaxClientEvents, a.MaxClientEventSize = c.MaxClientEventsPerSecond, c.MaxClientEventSize
	if c.Compression == "auto" {
		a.Compression = auth.CompressionAuto
	}
	a.MaxAPIEvents, a.MaxAPIReads = c.MaxAPIEventsPerSecond, c.MaxAPIReadsPerSecond
}
