package http

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/demo"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

const (
	benchUsers    = 1000
	benchMessages = 100_000
)

// BenchmarkMessages asks for deltas and sends, eight clients at once, where 1,000 users have sent 100,000 messages. The
// whole app is at work: sessions, limits, and the queues that tell others. p99-ms is what one request in a hundred
// takes longer than.
func BenchmarkMessages(b *testing.B) {
	for _, on := range backends {
		b.Run("database="+on.name, func(b *testing.B) {
			s := newStage(b, on)
			seeder := demo.Seeder{Store: s.store, Password: password, Now: time.Now()}
			s.check(seeder.Crowd(b.Context(), benchUsers, benchMessages))
			clients := s.benchClients(b)
			b.Run("delta", func(b *testing.B) {
				run(b, clients, func(c *benchClient) (method, path, body string) {
					return "GET", fmt.Sprintf("/api/messages/%d/delta?after_message_id=%d", c.conversation, c.last-20), ""
				})
			})
			b.Run("send", func(b *testing.B) {
				run(b, clients, func(c *benchClient) (method, path, body string) {
					return "POST", fmt.Sprintf("/api/messages/%d", c.conversation), `{"body":"What one says in a chat, more or less."}`
				})
			})
		})
	}
}

// benchClient is a user with a bearer token and the conversation at the top of the inbox.
type benchClient struct {
	*actor
	conversation, last int64
}

func (s *stage) benchClients(b *testing.B) []*benchClient {
	b.Helper()
	users, err := s.store.SearchUsers(b.Context(), 0, "user", benchUsers)
	s.check(err)
	var list []*benchClient
	for _, u := range users {
		inbox, _, err := s.store.Conversations(b.Context(), u.ID, 1, 0)
		s.check(err)
		if len(inbox) == 0 {
			continue
		}
		c := &benchClient{s.newActor(), inbox[0].ID, inbox[0].LastMessageID}
		c.bearer = s.token(b.Context(), u.ID)
		list = append(list, c)
	}
	return list
}

// token is what signing in with a device name gives.
func (s *stage) token(ctx context.Context, user int64) string {
	at := time.Now().Truncate(time.Microsecond)
	n := domain.Session{UserID: user, Kind: domain.TokenSession, CSRF: fmt.Sprint(user), RotatedAt: at, ExpiresAt: at.Add(time.Hour)}
	proof := s.server.proof(n)
	n.Hash = hash(proof)
	s.check(s.store.CreateSession(ctx, n))
	return proof
}

// run has eight clients ask at a time, each user once in a round.
func run(b *testing.B, clients []*benchClient, next func(*benchClient) (method, path, body string)) {
	b.ReportAllocs()
	var mu sync.Mutex
	var took []time.Duration
	var turn atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for range 8 {
		group.Go(func() {
			var own []time.Duration
			for {
				n := int(turn.Add(1)) - 1
				if n >= b.N {
					break
				}
				c := clients[n%len(clients)]
				method, path, body := next(c)
				start := time.Now()
				r := c.do(method, path, body)
				own = append(own, time.Since(start))
				if status := r.StatusCode(); status != fasthttp.StatusOK && status != fasthttp.StatusCreated {
					b.Errorf("%s %s: %d %s", method, path, status, r.Body())
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	group.Wait()
	b.StopTimer()
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[(len(took)-1)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
	}
}
