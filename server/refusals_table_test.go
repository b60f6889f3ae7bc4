package server_test

import (
	"strings"

	"github.com/reverb-go/reverb-go/server"
)

// A refusal is a way to be refused, and the series that counts it.
type refusal struct {
	series string               // as in /metrics, without the prefix
	app    string               // what the app's settings have besides its credentials
	script string               // a conversation that leads to it once
	set    func(*server.Config) // nil for none
	broker server.Broker        // nil for one that is local
}

// Parts of the scripts.
const (
	refused = `
a> (connect /app/app-key)
a< {"event":"pusher:error"$*
a< (closed $*)
`
	connected = `
a> (connect /app/app-key)
a< {"event":"pusher:connection_established"$*
`
	subscribed = connected + `
a> {"event":"pusher:subscribe","data":{"channel":"c"}}
a< {"event":"pusher_internal:subscription_succeeded"$*
`
	signedIn = connected + `
a> {"event":"pusher:signin","data":{"auth":"$auth(a,:user:,$user)","user_data":"$user"}}
a< {"event":"pusher:signin_success"$*
`
	joined = connected + `
a> {"event":"pusher:subscribe","data":{"channel":"presence-c","auth":"$auth(a,presence-c,$member)","channel_data":"$member"}}
a< {"event":"pusher_internal:subscription_succeeded"$*
`
	flooded = subscribed + `
api> (40 times) POST /apps/1/events {"name":"n","data":"$repeat(x,900000)","channel":"c"}
api< (40 times) 200 {}
a< (gone at last)
`
	closed = `
a< {"event":"pusher:error"$*
a< (closed $*)
`
)

var refusals = []refusal{
	// Connections that are not established.
	{`connections_refused_total{reason="unknown_app"}`, ``, `
a> (connect /app/no-key)
a< {"event":"pusher:error"$*
a< (closed 4001 $*)
`, nil, nil},
	{`connections_refused_total{reason="path"}`, ``, `
a> (connect /app/app/app-key)
a< {"event":"pusher:error"$*
a< (closed 4005 $*)
`, nil, nil},
	{`connections_refused_total{reason="origin"}`, `,"allowed_origins":["y.test"]`, `
a> (connect /app/app-key | Origin: https://x.test)
a< {"event":"pusher:error"$*
a< (closed 4009 $*)
`, nil, nil},
	{`connections_refused_total{reason="disabled"}`, `,"enabled":false`, refused, nil, nil},
	{`connections_refused_total{reason="over_quota"}`, `,"max_connections":0`, refused, nil, nil},
	{`connections_refused_total{reason="address"}`, `,"max_connections_per_ip":1`, "(b connects)" + refused, nil, nil},
	{`connections_refused_total{reason="node_full"}`, ``, "(b connects)" + refused, func(c *server.Config) { c.MaxConnections = 1 }, nil},
	{`connections_refused_total{reason="handshake_rate"}`, ``, "(b connects)" + refused, func(c *server.Config) { c.MaxHandshakes = 1 }, nil},
	{`connections_refused_total{reason="memory"}`, ``, refused, func(c *server.Config) { c.IsOverloaded = func() bool { return true } }, nil},
	{`connections_refused_total{reason="app_source"}`, ``, refused, func(c *server.Config) { c.Apps = lostApps{} }, nil},

	// Connections that are ended.
	{`connections_closed_total{reason="client"}`, ``, connected + `
a> (close)
a< (closed 1000)
`, nil, nil},
	{`connections_closed_total{reason="gone"}`, ``, connected + `
a> (hang up)
`, nil, nil},
	{`connections_closed_total{reason="protocol"}`, ``, connected + `
a> (raw 81 00)
a< (closed 1002 $*)
`, nil, nil},
	{`connections_closed_total{reason="too_big"}`, ``, connected + `
a> (10001 bytes) {"event":"pusher:ping"}
a< (closed 1009 $*)
`, nil, nil},
	{`connections_closed_total{reason="timeout"}`, ``, connected + `
(60s pass)
a< (ping)
(30s pass)
` + closed, nil, nil},
	{`connections_closed_total{reason="slow"}`, ``, flooded, nil, nil},
	{`connections_closed_total{reason="node_queue"}`, ``, flooded, func(c *server.Config) { c.MaxQueued, c.MaxNodeQueued = 1e9, 1 }, nil},
	{`connections_closed_total{reason="rate_limit"}`, `,"rate_limiting":{"enabled":true,"terminate_on_limit":true}`, connected + `
a> {"event":"pusher:ping"}
` + closed, nil, nil},
	{`connections_closed_total{reason="app"}`, ``, signedIn + `
api> POST /apps/1/users/42/terminate_connections {}
api< 200 {}
` + closed + `
-- vars --
user {"id":"42"}
`, nil, nil},
	{`connections_closed_total{reason="shutdown"}`, ``, connected + `
(the server shuts down)
` + closed, nil, nil},
	{`connections_closed_total{reason="unauthorized"}`, `,"user_authentication_timeout":30`, connected + `
(31s pass)
` + closed, nil, nil},

	// Messages that are not handled.
	{`messages_refused_total{reason="invalid"}`, ``, connected + `
a> nonsense
a< {"event":"pusher:error"$*
`, nil, nil},
	{`messages_refused_total{reason="unauthorized"}`, ``, connected + `
a> {"event":"pusher:subscribe","data":{"channel":"private-c"}}
a< {"event":"pusher:subscription_error"$*
a< {"event":"pusher:error"$*
`, nil, nil},
	{`messages_refused_total{reason="invalid_user"}`, ``, connected + `
a> {"event":"pusher:signin","data":{"auth":"$auth(a,:user:,$user)","user_data":"$user"}}
a< {"event":"pusher:error"$*
-- vars --
user {"id":""}
`, nil, nil},
	{`messages_refused_total{reason="other_user"}`, ``, signedIn + `
a> {"event":"pusher:signin","data":{"auth":"$auth(a,:user:,$other)","user_data":"$other"}}
a< {"event":"pusher:error"$*
-- vars --
user {"id":"42"}
other {"id":"43"}
`, nil, nil},
	{`messages_refused_total{reason="watchlist"}`, ``, signedIn + `
a< {"event":"pusher_internal:watchlist_events"$*
a< {"event":"pusher:error"$*
-- vars --
user {"id":"42","watchlist":[1` + strings.Repeat(`,1`, 100) + `]}
`, nil, nil},
	{`messages_refused_total{reason="subscriptions"}`, `,"max_subscriptions":1`, subscribed + `
a> {"event":"pusher:subscribe","data":{"channel":"d"}}
a< {"event":"pusher:subscription_error"$*
a< {"event":"pusher:error"$*
`, nil, nil},
	{`messages_refused_total{reason="members"}`, `,"max_presence_members":1`, joined + `
(b connects)
b> {"event":"pusher:subscribe","data":{"channel":"presence-c","auth":"$auth(b,presence-c,$other)","channel_data":"$other"}}
b< {"event":"pusher:subscription_error"$*
b< {"event":"pusher:error"$*
-- vars --
member {"user_id":1}
other {"user_id":2}
`, nil, nil},
	{`messages_refused_total{reason="member_size"}`, `,"max_presence_member_size":20`, joined + `
(b connects)
b> {"event":"pusher:subscribe","data":{"channel":"presence-c","auth":"$auth(b,presence-c,$other)","channel_data":"$other"}}
b< {"event":"pusher:subscription_error"$*
b< {"event":"pusher:error"$*
-- vars --
member {"user_id":1}
other {"user_id":2,"user_info":"long"}
`, nil, nil},
	{`messages_refused_total{reason="rate_limit"}`, `,"max_messages_per_second":1`, connected + `
a> (2 times) {"event":"pusher:ping"}
a< {"event":"pusher:pong"}
a< {"event":"pusher:error"$*
`, nil, nil},
	{`messages_refused_total{reason="not_member"}`, ``, connected + `
a> {"event":"client-e","channel":"c","data":"d"}
a< {"event":"pusher:error"$*
`, nil, nil},
	{`messages_refused_total{reason="client_events_disabled"}`, `,"accept_client_events_from":"none"`, subscribed + `
a> {"event":"client-e","channel":"c","data":"d"}
a< {"event":"pusher:error"$*
`, nil, nil},
	{`messages_refused_total{reason="client_event_rate"}`, `,"max_client_events_per_second":1`, subscribed + `
a> (2 times) {"event":"client-e","channel":"c","data":"d"}
a< {"event":"pusher:error"$*
`, nil, nil},
	{`messages_refused_total{reason="client_event_size"}`, `,"max_client_event_size":2`, subscribed + `
a> {"event":"client-e","channel":"c","data":"d"}
a< {"event":"pusher:error"$*
`, nil, nil},

	// Requests to the HTTP API.
	{`http_requests_total{route="events",status="400"}`, ``, `
api> POST /apps/1/events nonsense
api< 400 $*
`, nil, nil},
	{`http_requests_total{route="events",status="401"}`, ``, `
api> (secret wrong) POST /apps/1/events {"name":"e","channel":"c","data":"1"}
api< 401 $*
`, nil, nil},
	{`http_requests_total{route="events",status="403"}`, `,"enabled":false`, `
api> POST /apps/1/events {"name":"e","channel":"c","data":"1"}
api< 403 $*
`, nil, nil},
	{`http_requests_total{route="events",status="404"}`, ``, `
api> POST /apps/2/events {"name":"e","channel":"c","data":"1"}
api< 404 $*
`, nil, nil},
	{`http_requests_total{route="events",status="405"}`, ``, `
api> GET /apps/1/events
api< 405 $*
`, nil, nil},
	{`http_requests_total{route="other",status="413"}`, ``, `
api> (1000001 bytes) POST /apps/1/events {"name":"e","channel":"c","data":"1"}
api< 413 $*
`, nil, nil},
	{`http_requests_total{route="events",status="422"}`, ``, `
api> POST /apps/1/events {}
api< 422 $*
`, nil, nil},
	{`http_requests_total{route="events",status="429"}`, `,"max_api_events_per_second":1`, `
api> (2 times) POST /apps/1/events {"name":"e","channel":"c","data":"1"}
api< 200 {}
api< 429 $*
`, nil, nil},
	{`http_requests_total{route="batch_events",status="429"}`, `,"max_api_events_per_second":1`, `
api> (2 times) POST /apps/1/batch_events {"batch":[{"name":"e","channel":"c","data":"1"}]}
api< 200 {}
api< 429 $*
`, nil, nil},
	{`http_requests_total{route="channels",status="429"}`, `,"max_api_reads_per_second":1`, `
api> (2 times) GET /apps/1/channels
api< 200 $*
api< 429 $*
`, nil, nil},
	{`http_requests_total{route="events",status="503"}`, ``, `
api> POST /apps/1/events {"name":"e","channel":"c","data":"1"}
api< 503 $*
`, func(c *server.Config) { c.Apps = lostApps{} }, nil},
	{`http_requests_total{route="app",status="426"}`, ``, `
api> (unsigned) GET /app/app-key
api< 426 $*
`, nil, nil},
}
