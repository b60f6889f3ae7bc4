package server_test

import (
	"testing"

	"github.com/gobwas/ws"
)

// TestCompressedSizes has a client send compressed messages of the sizes in sections 12 and 13 of the Autobahn suite, as one frame, in
// fragments and in packets. Another one with compression hears them, and so does one without.
func TestCompressedSizes(t *testing.T) {
	script := &script{file: "compression", files: map[string][]byte{
		"apps.json": []byte(`[{"app_id":"1","key":"app-key","secret":"app-secret","max_message_size":0,"accept_client_events_from":"all","compression":"auto"}]`),
	}}
	for _, name := range []string{"epoll", "portable"} {
		t.Run(name, func(t *testing.T) {
			on := openStage(t, script, newEngine(t, name))
			sender, with, without := &client{name: "sender"}, &client{name: "with"}, &client{name: "without"}
			for _, c := range []*client{sender, with} {
				enter(t, on, c, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
			}
			enter(t, on, without)
			for _, c := range []*client{with, without} {
				c.subscribes(t, "echo")
			}
			for _, size := range []int{16, 64, 256, 512, 1024, 4096, 8192, 16384, 32768, 65536, 131072} {
				message := fits(size)
				for _, packets := range [][][]byte{
					{deflatedFrame(message)}, chop(deflatedFrame(message), 97), inFragments(message, 13),
				} {
					for _, p := range packets {
						sender.write(p)
					}
					wantNext(t, without, message)
					want := message
					if size >= 512 { // of which none is so random that it would not get shorter
						want = heardDeflated + message
					}
					wantNext(t, with, want)
				}
			}
			wantSilence(t, sender)
		})
	}
}

// inFragments is a compressed message in fragments of size bytes, of which only the first is marked.
func inFragments(message string, size int) (frames [][]byte) {
	parts := chop(deflated(message), size)
	for i, part := range parts {
		if isLast := i == len(parts)-1; i == 0 {
			frames = append(frames, squeezed(isLast, part))
		} else {
			frames = append(frames, clientFrame(ws.OpContinuation, isLast, part))
		}
	}
	return frames
}
