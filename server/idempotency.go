package server

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// maxAnswers bounds the answers kept for one app. Beyond it new keys are not remembered: their
// requests are done, but a repetition would be done again.
const maxAnswers = 10_000

// answers are what requests with an idempotency key were told, so that a repetition is told the same
// and nothing is published twice.
type answers struct {
	mu    sync.Mutex // guards byKey
	byKey map[string]*answer
}

type answer struct {
	sum     [md5.Size]byte // of the request's body
	expires time.Time
	done    chan struct{} // closed when the fields below are set
	body    []byte
}

// claim returns the answer kept under key, and whether the caller is the first and has to fill it. It
// returns nil when nothing more can be kept.
func (k *answers) claim(key string, sum [md5.Size]byte, now time.Time, ttl time.Duration) (a *answer, isFirst bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.byKey[key]; a != nil && now.Before(a.expires) {
		return a, false
	}
	if len(k.byKey) >= maxAnswers {
		return nil, true
	}
	if k.byKey == nil {
		k.byKey = make(map[string]*answer)
	}
	a = &answer{sum: sum, expires: now.Add(ttl), done: make(chan struct{})}
	k.byKey[key] = a
	return a, true
}

func (k *answers) forget(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.byKey, key)
}

func (k *answers) expire(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, a := range k.byKey {
		if !now.Before(a.expires) {
			delete(k.byKey, key)
		}
	}
}

const idempotencyHeader = "Idempotency-Key"

// sumForKey returns the sum of a body that the parser has not rewritten yet, if the request may have a key: a body has it by its
// name, or with letters that are escaped.
func sumForKey(ctx *fasthttp.RequestCtx) (sum [md5.Size]byte) {
	body := ctx.Request.Body()
	if isRepeatable(ctx, nil) || bytes.Contains(body, []byte("idempotency_key")) || bytes.Contains(body, []byte(`\u00`)) {
		sum = md5.Sum(body)
	}
	return sum
}

// isRepeatable reports whether a request has an idempotency key: in the header, or key, which is that of the body.
func isRepeatable(ctx *fasthttp.RequestCtx, key []byte) bool {
	return key != nil || len(ctx.Request.Header.Peek(idempotencyHeader)) > 0
}

// once calls do, which answers the request, unless a request with the same idempotency key, from the
// header or the body, has been answered. A refusal is not kept: it may be better luck next time.
func (s *Server) once(ctx *fasthttp.RequestCtx, a *app, key []byte, sum [md5.Size]byte, do func()) {
	if header := ctx.Request.Header.Peek(idempotencyHeader); len(header) > 0 {
		key = header
	}
	if key == nil {
		do()
		return
	}
	if s.cluster != nil {
		s.onceInCluster(ctx, a, string(key), sum, do)
		return
	}
	kept, isFirst := a.answers.claim(string(key), sum, s.cfg.Now(), s.cfg.IdempotencyTTL)
	switch {
	case kept == nil:
		do()
	case isFirst:
		do()
		kept.body = append([]byte(nil), ctx.Response.Body()...)
		close(kept.done)
		if ctx.Response.StatusCode() != fasthttp.StatusOK {
			a.answers.forget(string(key))
		}
	case kept.sum != sum:
		s.answerOtherRequest(ctx)
	default:
		<-kept.done
		answerAgain(ctx, kept.body)
	}
}

func (s *Server) answerOtherRequest(ctx *fasthttp.RequestCtx) {
	s.answerError(ctx, fasthttp.StatusUnprocessableEntity, "The idempotency key was used for another request.")
}

func answerAgain(ctx *fasthttp.RequestCtx, body []byte) {
	ctx.Response.Header.Set("Idempotency-Replayed", "true")
	answerJSON(ctx, fasthttp.StatusOK, body)
}

// onceInCluster is once for several nodes. While Redis is away a request is done whatever its key.
func (s *Server) onceInCluster(ctx *fasthttp.RequestCtx, a *app, key string, sum [md5.Size]byte, do func()) {
	limited, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	answer, isFirst, err := s.cluster.Claim(limited, a.id, key, hex.EncodeToString(sum[:]), s.cfg.IdempotencyTTL)
	switch {
	case err != nil:
		s.log.Warn("request done without looking for its idempotency key", "app", a.id, "err", err)
		do()
	case isFirst:
		do()
		var kept []byte
		if ctx.Response.StatusCode() == fasthttp.StatusOK {
			kept = ctx.Response.Body()
		}
		if err := s.cluster.Answer(limited, a.id, key, hex.EncodeToString(sum[:]), kept, s.cfg.IdempotencyTTL); err != nil {
			s.log.Warn("answer to an idempotency key not kept", "app", a.id, "err", err)
		}
	case answer == nil:
		s.answerOtherRequest(ctx)
	default:
		answerAgain(ctx, answer)
	}
}
