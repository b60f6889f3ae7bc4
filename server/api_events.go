package server

import (
	"errors"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/protocol"
)

func (s *Server) postEvents(ctx *fasthttp.RequestCtx, a *app, _ string) {
	sum := sumForKey(ctx)
	event, err := protocol.ParsePublish(ctx.Request.Body())
	if err != nil {
		s.answerBadBody(ctx, err)
		return
	}
	if s.mustPass(ctx, a, event) {
		return
	}
	s.once(ctx, a, event.IdempotencyKey, sum, func() { s.publishOne(ctx, a, event) })
}

func (s *Server) publishOne(ctx *fasthttp.RequestCtx, a *app, event protocol.Publish) {
	if !s.take(ctx, &a.events, a.get().MaxAPIEvents, 1) {
		return
	}
	if _, isLoop := ctx.Conn().(*visitor); !isLoop { // which would wait for itself
		s.waitToPublish()
	}
	s.publish(a, event)
	if !event.HasInfo {
		answerJSON(ctx, fasthttp.StatusOK, []byte(`{}`))
		return
	}
	names := make([]string, len(event.Channels))
	for i, channel := range event.Channels {
		names[i] = string(channel)
	}
	want := parseInfo(event.Info)
	body := []byte(`{"channels":{`)
	for i, info := range s.lookup(a, names...) {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(protocol.AppendString(body, info.Name), ':')
		body = appendInfo(body, info, want, s.cfg.Now())
	}
	answerJSON(ctx, fasthttp.StatusOK, append(body, "}}"...))
}

// postBatch publishes several events: all, or, if one of them is not valid, none.
func (s *Server) postBatch(ctx *fasthttp.RequestCtx, a *app, _ string) {
	sum := sumForKey(ctx)
	events, err := protocol.ParseBatch(ctx.Request.Body())
	if err != nil {
		s.answerBadBody(ctx, err)
		return
	}
	s.once(ctx, a, events[0].IdempotencyKey, sum, func() { s.publishBatch(ctx, a, events) })
}

func (s *Server) publishBatch(ctx *fasthttp.RequestCtx, a *app, events []protocol.Publish) {
	if !s.take(ctx, &a.events, a.get().MaxAPIEvents, len(events)) {
		return
	}
	var asked []string // the channels of those with info, in order
	for _, event := range events {
		s.waitToPublish()
		s.publish(a, event)
		if event.HasInfo {
			asked = append(asked, string(event.Channels[0]))
		}
	}
	if asked == nil {
		answerJSON(ctx, fasthttp.StatusOK, []byte(`{}`))
		return
	}
	infos := s.lookup(a, asked...)
	body := []byte(`{"batch":[`)
	for i, event := range events {
		if i > 0 {
			body = append(body, ',')
		}
		if !event.HasInfo {
			body = append(body, "{}"...)
			continue
		}
		body = appendInfo(body, infos[0], parseInfo(event.Info), s.cfg.Now())
		infos = infos[1:]
	}
	answerJSON(ctx, fasthttp.StatusOK, append(body, "]}"...))
}

var payloadPool = sync.Pool{New: func() any { return new([]byte) }}

// publish hands an event to the broker, once for each channel. Who is no loop calls waitToPublish before.
func (s *Server) publish(a *app, event protocol.Publish) {
	s.counts.publishedAPI.Inc()
	except, _ := protocol.ParseSocketID(event.SocketID) // an id that is none of ours excludes nobody
	room := payloadPool.Get().(*[]byte)
	defer payloadPool.Put(room)
	for _, name := range event.Channels {
		channel := string(name)
		*room = protocol.AppendEvent((*room)[:0], event.Name, event.Data, channel)
		s.broker.Publish(protocol.Broadcast{
			AppID: a.id, Channel: channel, Payload: *room, Except: except, Cache: isCache(channel), CacheTTL: a.get().CacheTTL,
		})
	}
}

func (s *Server) answerBadBody(ctx *fasthttp.RequestCtx, err error) {
	var invalid *protocol.ValidationError
	if errors.As(err, &invalid) {
		answerJSON(ctx, fasthttp.StatusUnprocessableEntity, invalid.AppendJSON(nil))
		return
	}
	s.answerError(ctx, fasthttp.StatusBadRequest, "The body is not a JSON object.")
}
