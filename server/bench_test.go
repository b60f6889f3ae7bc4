package server_test

import (
	"fmt"
	"testing"

	"github.com/gobwas/ws"
)

// BenchmarkConnect is the life of a connection on a real socket: it is accepted and upgraded, subscribes, hears
// the answer, and is closed by the client. Client and server share the processors.
func BenchmarkConnect(b *testing.B) {
	for _, name := range []string{"epoll", "portable"} {
		b.Run("engine="+name, func(b *testing.B) {
			on := openStage(b, new(script), newEngine(b, name))
			b.ReportAllocs()
			for b.Loop() {
				c := &client{}
				if err := c.connect(on, "/app/app-key", nil); err != nil {
					b.Fatal(err)
				}
				c.next()
				c.frame(ws.OpText, true, []byte(`{"event":"pusher:subscribe","data":{"channel":"news"}}`))
				if got, want := c.next(), `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"news"}`; got != want {
					b.Fatal(fmt.Errorf("got %s, want %s", got, want))
				}
				c.leave(true)
			}
		})
	}
}
