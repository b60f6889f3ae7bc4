package bridge

import (
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol/php"
)

const applicationClass = `Laravel\Reverb\Application`

// acceptFrom are Laravel Reverb's words.
var acceptFrom = map[auth.ClientEvents]string{
	auth.ClientEventsNone:    "none",
	auth.ClientEventsMembers: "members",
	auth.ClientEventsAll:     "all",
}

// appendApplication appends an app as Laravel Reverb serializes it into every message, its secret included: all of
// its properties, in their order and with their types, because a missing type is fatal to the reader. options,
// which say where clients find the server, are none of a server's business; there are none.
func appendApplication(dst []byte, a *auth.App) []byte {
	dst = php.AppendObject(dst, applicationClass, 11)
	dst = php.AppendString(php.AppendProtected(dst, "id"), a.ID)
	dst = php.AppendString(php.AppendProtected(dst, "key"), a.Key)
	dst = php.AppendString(php.AppendProtected(dst, "secret"), a.Secret)
	dst = php.AppendInt(php.AppendProtected(dst, "pingInterval"), seconds(a.PingInterval))
	dst = php.AppendInt(php.AppendProtected(dst, "activityTimeout"), seconds(a.ActivityTimeout))
	dst = php.AppendList(php.AppendProtected(dst, "allowedOrigins"), a.AllowedOrigins)
	dst = php.AppendInt(php.AppendProtected(dst, "maxMessageSize"), int64(a.MaxMessageSize))
	dst = php.AppendProtected(dst, "maxConnections")
	if a.MaxConnections < 0 {
		dst = php.AppendNull(dst)
	} else {
		dst = php.AppendInt(dst, int64(a.MaxConnections))
	}
	dst = php.AppendString(php.AppendProtected(dst, "acceptClientEventsFrom"), acceptFrom[a.ClientEvents])
	dst = appendRateLimit(php.AppendProtected(dst, "rateLimiting"), a.RateLimit)
	dst = php.AppendArray(php.AppendProtected(dst, "options"), 0)
	return append(dst, "}}"...)
}

func appendRateLimit(dst []byte, r auth.RateLimit) []byte {
	dst = php.AppendArray(dst, 4)
	dst = php.AppendBool(php.AppendString(dst, "enabled"), r.Enabled)
	dst = php.AppendInt(php.AppendString(dst, "max_attempts"), int64(r.MaxAttempts))
	dst = php.AppendInt(php.AppendString(dst, "decay_seconds"), seconds(r.Decay))
	dst = php.AppendBool(php.AppendString(dst, "terminate_on_limit"), r.Terminate)
	return append(dst, '}')
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// appIDOf returns the id in a serialized app. It is all that anybody reads of it.
func appIDOf(serialized string) (id string, ok bool) {
	v, err := php.Parse(serialized)
	m, isMap := v.(*php.Map)
	if err != nil || !isMap || m.Class != applicationClass {
		return "", false
	}
	id = m.Text("id")
	return id, id != ""
}
