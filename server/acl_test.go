//go:build unix

package server_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestACL runs a cluster as Redis users with no more rights than docs/scaling.md asks for.
func TestACL(t *testing.T) {
	doc, err := os.ReadFile("../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rights := range []string{
		"+@all -@dangerous",
		"+eval +evalsha +script +publish +spublish +subscribe +unsubscribe +ssubscribe +sunsubscribe +pubsub +@read +@write +@connection +time",
	} {
		t.Run(rights, func(t *testing.T) {
			if !strings.Contains(strings.Join(strings.Fields(string(doc)), " "), rights) {
				t.Errorf("docs/scaling.md says otherwise")
			}
			s := startRedis(t)
			args := []any{"ACL", "SETUSER", "node", "on", ">sesame", "~test*", "&test*"}
			for right := range strings.FieldsSeq(rights) {
				args = append(args, right)
			}
			s.do(t, args...)
			r := newRig(t, 2, false, func(link *wire) redis.UniversalClient {
				return redis.NewClient(&redis.Options{
					Addr: s.addr, Username: "node", Password: "sesame", ContextTimeoutEnabled: true, Dialer: link.dial,
				})
			})
			r.open(1)
			r.run()
			during(200 * time.Millisecond)
			r.finish(false)
		})
	}
}
