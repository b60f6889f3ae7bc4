package protocol

import "strconv"

// The two messages that are always the same.
const (
	Ping = `{"event":"pusher:ping"}`
	Pong = `{"event":"pusher:pong"}`
)

// AppendConnectionEstablished appends the first message of every connection. activityTimeout is
// in seconds and not 0, without which pusher-js gives up for good.
func AppendConnectionEstablished(dst []byte, id SocketID, activityTimeout int) []byte {
	dst = append(dst, `{"event":"pusher:connection_established","data":"{\"socket_id\":\"`...)
	dst = id.AppendTo(dst)
	dst = append(dst, `\",\"activity_timeout\":`...)
	dst = strconv.AppendInt(dst, int64(activityTimeout), 10)
	return append(dst, `}"}`...)
}
