package protocol

import "strconv"

// Error is what a client is told: the payload of a pusher:error event, and, for those that end
// the connection, the code and reason of the close frame.
//
// The ranges of codes tell pusher-js what to do after a close: 4000–4099 never come back,
// 4100–4199 come back after a second, 4200–4299 come back at once. It takes 4300 and above as
// "never" too, so those are for events only. Code 0 is written as null, which is how Pusher answers
// a request that cannot be granted; it never ends a connection.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string {
	return "pusher error " + strconv.Itoa(e.Code) + ": " + e.Message
}

// Codes and texts are those of Laravel Reverb where it has them.
var (
	ErrAppNotFound          = &Error{4001, "Application does not exist"}
	ErrOverQuota            = &Error{4004, "Application is over connection quota"}
	ErrOriginNotAllowed     = &Error{4009, "Origin not allowed"}
	ErrUnauthorized         = &Error{4009, "Connection is unauthorized"}
	ErrNotMember            = &Error{4009, "The client is not a member of the specified channel."}
	ErrNotAuthorizedInTime  = &Error{4009, "Connection not authorized within timeout"}
	ErrAppDisabled          = &Error{4003, "Application is disabled"}
	ErrTooManyConnections   = &Error{4100, "Too many connections from this address"}
	ErrInvalidUser          = &Error{0, "user_data must be a JSON object with an id"}
	ErrOtherUser            = &Error{0, "Connection is signed in as another user"}
	ErrWatchlistTooLong     = &Error{4302, "Watchlist too long, only the first 100 users are watched"}
	ErrTooManyClientEvents  = &Error{4301, "Rate limit of client events exceeded"}
	ErrClientEventTooLarge  = &Error{4301, "Client event is too large"}
	ErrTooManyMembers       = &Error{0, "Presence channel is full"}
	ErrMemberTooLarge       = &Error{0, "channel_data is too large"}
	ErrTooManySubscriptions = &Error{0, "Connection has too many subscriptions"}
	ErrTerminated           = &Error{4009, "You got disconnected by the app."}
	ErrSlow                 = &Error{4100, "Connection too slow"}
	ErrOverCapacity         = &Error{4100, "Over capacity"}
	ErrInvalidFormat        = &Error{4200, "Invalid message format"}
	ErrShutdown             = &Error{4200, "Server is restarting, please reconnect"}
	ErrPongTimeout          = &Error{4201, "Pong reply not received in time"}
	ErrRateLimited          = &Error{4301, "Rate limit exceeded"}
	ErrClientEventsDisabled = &Error{4301, "The app does not have client messaging enabled."}
)

// AppendError appends a pusher:error message. Its data is an object where Reverb sends a string:
// the Swift, .NET and Python clients cannot read the string, and every client reads the object.
func AppendError(dst []byte, e *Error) []byte {
	dst = append(dst, `{"event":"pusher:error","data":{"code":`...)
	if e.Code == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendInt(dst, int64(e.Code), 10)
	}
	dst = append(dst, `,"message":`...)
	dst = AppendString(dst, e.Message)
	return append(dst, `}}`...)
}
