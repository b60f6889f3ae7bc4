package protocol

// Signin is the data of a pusher:signin message. Its slices borrow from the bytes given to
// [ParseSignin].
type Signin struct {
	Auth     []byte // decoded
	UserData []byte // decoded string exactly as signed
}

// ParseSignin reads the Data of a pusher:signin message, which it may rewrite. The only error is
// [ErrInvalidFormat].
func ParseSignin(data []byte) (Signin, error) {
	var auth, userData []byte
	w := walkData(data)
	for w.next() {
		switch string(w.key) {
		case "auth":
			auth = w.value
		case "user_data":
			userData = w.value
		}
	}
	s := Signin{Auth: decodeName(auth), UserData: decodeName(userData)}
	if !w.complete() || s.Auth == nil || s.UserData == nil {
		return Signin{}, ErrInvalidFormat
	}
	return s, nil
}

// User is who a signed-in connection is.
type User struct {
	ID        string   // string form
	Info      string   // user_info as compact JSON, "null" when absent
	Watchlist []string // ids of the users it wants to hear of, as given
}

// maxUserID is Pusher's limit for the ids of users, in bytes.
const maxUserID = 128

// ParseUser reads the user_data of a sign-in; it copies what it keeps. An id that is a number is
// taken for its digits: Laravel's resolver may leave it one. Any other fault is [ErrInvalidUser].
func ParseUser(userData []byte) (User, error) {
	if !validContainer(userData) {
		return User{}, ErrInvalidUser
	}
	data := appendCompact(make([]byte, 0, len(userData)), userData)
	u := User{Info: "null"}
	w := walkContainer(data)
	for w.next() {
		switch string(w.key) {
		case "id":
			u.ID, _ = memberID(w.value)
		case "user_info":
			u.Info = string(w.value)
		case "watchlist":
			u.Watchlist = readIDs(w.value)
		}
	}
	if u.ID == "" || len(u.ID) > maxUserID {
		return User{}, ErrInvalidUser
	}
	return u, nil
}

// readIDs reads a list of user ids and passes over what is none.
func readIDs(raw []byte) (ids []string) {
	for w := walkContainer(raw); w.next(); {
		if id, _ := memberID(w.value); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Member returns who the user is in a presence channel it joins without channel_data.
func (u *User) Member() Member {
	m := Member{ID: u.ID, IDJSON: string(AppendString(nil, u.ID)), Info: u.Info}
	m.Data = `{"user_id":` + m.IDJSON + `,"user_info":` + m.Info + `}`
	return m
}

// AppendSigninSuccess appends the answer to a sign-in. userData goes back as it came, as a string
// inside the string that is the message's data.
func AppendSigninSuccess[T ~string | ~[]byte](dst []byte, userData T) []byte {
	dst = append(dst, `{"event":"pusher:signin_success","data":`...)
	inner := AppendString([]byte(`{"user_data":`), userData)
	dst = AppendString(dst, append(inner, '}'))
	return append(dst, '}')
}

// AppendWatchlistEvents appends who of a watchlist is online and who is not; empty lists are left out.
func AppendWatchlistEvents(dst []byte, online, offline []string) []byte {
	dst = append(dst, `{"event":"pusher_internal:watchlist_events","data":`...)
	inner := []byte(`{"events":[`)
	for _, list := range []struct {
		name string
		ids  []string
	}{{"online", online}, {"offline", offline}} {
		if len(list.ids) == 0 {
			continue
		}
		if inner[len(inner)-1] == '}' {
			inner = append(inner, ',')
		}
		inner = AppendString(append(inner, `{"name":`...), list.name)
		inner = append(inner, `,"user_ids":[`...)
		for i, id := range list.ids {
			if i > 0 {
				inner = append(inner, ',')
			}
			inner = AppendString(inner, id)
		}
		inner = append(inner, "]}"...)
	}
	dst = AppendString(dst, append(inner, "]}"...))
	return append(dst, '}')
}
