package http

import "github.com/valyala/fasthttp"

// channelRequest is what Echo and pusher-js ask with.
type channelRequest struct {
	SocketID    string `json:"socket_id"`
	ChannelName string `json:"channel_name"`
}

func (r *request) authorizeChannel() error {
	var in channelRequest
	if err := r.decodeForm(&in); err != nil {
		return err
	}
	answer, err := r.server.Gatekeeper.Channel(r.ctx, *r.user, in.SocketID, in.ChannelName)
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, answer)
}

func (r *request) authorizeUser() error {
	var in struct {
		SocketID string `json:"socket_id"`
	}
	if err := r.decodeForm(&in); err != nil {
		return err
	}
	answer, err := r.server.Gatekeeper.User(*r.user, in.SocketID)
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, answer)
}
