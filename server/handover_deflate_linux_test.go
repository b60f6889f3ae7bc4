package server

import (
	"bytes"
	"testing"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
)

// TestHandoverOfCompression hands over connections that negotiated compression: one that is idle, one in the middle of a
// compressed message, and one in the middle of a frame of one.
func TestHandoverOfCompression(t *testing.T) {
	r := newRelay(t, func(a *auth.App) { a.Compression = auth.CompressionAuto })
	connect := func() *relayClient {
		t.Helper()
		return r.connectWith("Sec-WebSocket-Extensions: permessage-deflate\r\n")
	}
	idle, fragments, halves := connect(), connect(), connect()
	idle.say(`{"event":"pusher:subscribe","data":{"channel":"news"}}`)
	idle.expect("subscription_succeeded")
	ping := string(deflated(t, 6, pingText))
	first := frameBytes(fragments, ws.OpText, false, ping[:9])
	first[0] |= rsv1 << 4
	fragments.sayAndWait(first)
	frame := frameBytes(halves, ws.OpText, true, ping)
	frame[0] |= rsv1 << 4
	halves.sayAndWait(nil)
	halves.write(frame[:11])
	if moved := r.handOver(); moved.Connections != 3 {
		t.Errorf("%d connections were handed over, want 3", moved.Connections)
	}
	fragments.write(frameBytes(fragments, ws.OpContinuation, true, ping[9:]))
	fragments.expect(`pusher:pong`)
	halves.write(frame[11:])
	halves.expect(`pusher:pong`)
	halves.write(frame)
	halves.expect(`pusher:pong`)
	event := OrderEvent(2 << 10)
	r.server.Deliver(broadcastOf("news", string(event)))
	if got := idle.hear(); !bytes.Equal([]byte(got), event) || !idle.wasDeflated {
		t.Errorf("heard %.60s, compressed: %v", got, idle.wasDeflated)
	}
}
