package auth

var colon = []byte(":")

// VerifyChannel reports whether auth allows the connection with the given socket id to subscribe to
// channel. channelData takes part as received, after JSON unescaping, on private channels too. It
// allocates nothing and keeps none of its arguments.
//
// auth is "key:signature". Laravel Reverb never looks at the key; here it must be the app's, as at
// Pusher. A signature without any key is accepted, as by Reverb.
func (a *App) VerifyChannel(id, channel, channelData, auth []byte) bool {
	signature := a.signatureIn(auth)
	// Reverb signs the data only if PHP calls it true, which the string "0" is not.
	if len(channelData) == 0 || string(channelData) == "0" {
		return a.verify(signature, id, colon, channel)
	}
	return a.verify(signature, id, colon, channel, colon, channelData)
}

// signatureIn returns what stands behind the key. The app's own key is looked for, rather than the
// first colon, so that a key may contain one; behind any other key the signature has the wrong length.
func (a *App) signatureIn(auth []byte) []byte {
	if n := len(a.Key); len(auth) > n && string(auth[:n]) == a.Key && auth[n] == ':' {
		return auth[n+1:]
	}
	return auth
}

var userSeparator = []byte("::user::")

// VerifyUser reports whether auth allows the connection with the given socket id to sign in with
// userData, which takes part as received. It allocates nothing and keeps none of its arguments.
func (a *App) VerifyUser(id, userData, auth []byte) bool {
	return a.verify(a.signatureIn(auth), id, userSeparator, userData)
}

// SignChannel returns the auth with which a backend lets the connection with the given socket id
// subscribe to channel.
func (a *App) SignChannel(id, channel, channelData string) string {
	message := id + ":" + channel
	if channelData != "" && channelData != "0" {
		message += ":" + channelData
	}
	return a.sign(message)
}

// SignUser returns the auth with which a backend signs a user in on the connection with the given
// socket id.
//
// Pusher's protocol page shows "key::user::signature"; what its libraries send is "key:signature".
func (a *App) SignUser(id, userData string) string {
	return a.sign(id + "::user::" + userData)
}

func (a *App) sign(message string) string {
	sum := a.mac.hex([]byte(message))
	return a.Key + ":" + string(sum[:])
}
