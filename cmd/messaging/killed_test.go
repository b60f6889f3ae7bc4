package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// listener is a browser's socket, subscribed to one conversation.
type listener struct {
	conn io.ReadWriter

	mu    sync.Mutex
	heard map[int64]int // how often each message.created came; guarded by mu
}

// startServer runs a websocket server that outlives the app, and returns its port.
func startServer(t *testing.T, app *auth.App) int {
	t.Helper()
	apps, err := auth.NewApps(app)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Apps: apps}, scaling.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(ln)
	t.Cleanup(func() {
		srv.Shutdown(context.Background())
		ln.Close()
	})
	return ln.Addr().(*net.TCPAddr).Port
}

// dial opens a WebSocket, until the end of the test.
func dial(t *testing.T, dialer ws.Dialer, url string) io.ReadWriter {
	t.Helper()
	socket, buffered, _, err := dialer.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	if buffered == nil {
		buffered = bufio.NewReader(socket)
	}
	return struct {
		io.Reader // with what came right behind the handshake
		io.Writer
	}{buffered, socket}
}

// listenTo subscribes to a conversation.
func listenTo(t *testing.T, app *auth.App, port int, conversation int64) *listener {
	t.Helper()
	conn := dial(t, ws.Dialer{}, fmt.Sprintf("ws://127.0.0.1:%d/app/%s", port, app.Key))
	l := &listener{conn: conn, heard: map[int64]int{}}
	var hello struct{ Data string }
	var data struct {
		SocketID string `json:"socket_id"`
	}
	first, err := wsutil.ReadServerText(conn)
	if err != nil || json.Unmarshal(first, &hello) != nil || json.Unmarshal([]byte(hello.Data), &data) != nil {
		t.Fatal("the server did not say hello", err)
	}
	channel := realtime.ConversationChannel(conversation)
	subscribe := fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q}}`, channel, app.SignChannel(data.SocketID, channel, ""))
	if err := wsutil.WriteClientText(conn, []byte(subscribe)); err != nil {
		t.Fatal(err)
	}
	if _, err := wsutil.ReadServerText(conn); err != nil {
		t.Fatal(err)
	}
	go l.listen()
	return l
}

// listen ends with the connection.
func (l *listener) listen() {
	for {
		text, err := wsutil.ReadServerText(l.conn)
		if err != nil {
			return
		}
		var frame struct{ Event, Data string }
		var m api.Message
		if json.Unmarshal(text, &frame) == nil && frame.Event == api.MessageCreated && json.Unmarshal([]byte(frame.Data), &m) == nil {
			l.mu.Lock()
			l.heard[m.ID]++
			l.mu.Unlock()
		}
	}
}

// The app is killed while messages are sent, in whatever state they are: between commit and enqueue, in its queue,
// which is lost with it, or in the middle of a job. Whoever sends tries again with the same temp id.
func TestAppKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes as long as a job may run until a dead one is known as such")
	}
	t.Parallel()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "1", "app-key", "app-secret"
	websockets, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	port := startServer(t, websockets)
	dir := t.TempDir()
	env := []string{"REVERB_APP_ID=1", "REVERB_APP_KEY=app-key", "REVERB_APP_SECRET=app-secret",
		"REVERB_HOST=127.0.0.1", "REVERB_SCHEME=http", "REVERB_PORT=" + strconv.Itoa(port), "LOG_LEVEL=error"}
	app := startProcess(t, dir, env, "start", "--port", "0")
	app.signIn("alice")
	token := app.token
	var room api.ConversationUpdated
	app.mustAsk("POST", "/api/messages/conversations", `{"participant_ids":[2,3],"title":"killed"}`, &room)
	id := room.Conversation.ID
	ear := listenTo(t, websockets, port, id)

	for i := range 45 {
		if i%15 == 7 {
			go app.cmd.Process.Kill() // while the next ones are sent
		}
		path, body := fmt.Sprintf("/api/messages/%d", id), fmt.Sprintf(`{"body":"message %d","client_temp_id":"tmp-%d"}`, i, i)
		for {
			status, err := app.ask("POST", path, body, nil)
			if err == nil && status < 300 {
				break
			}
			if err == nil {
				t.Fatalf("message %d: %d", i, status)
			}
			app.kill()
			app = startProcess(t, dir, env, "start", "--port", "0")
			app.token = token
		}
	}
	waitForJobs(t, filepath.Join(dir, settings.Folder, "messaging.sqlite"))
	wantAll(t, app, ear, id, 45)
}

// waitForJobs looks into the database until nothing is left to be told.
func waitForJobs(t *testing.T, path string) {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite", store.SQLite(path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(3 * time.Minute)
	defer deadline.Stop()
	for {
		n, err := s.WaitingJobs(t.Context())
		if err == nil && n == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%d jobs still wait: %v", n, err)
		}
	}
}

// wantAll checks that every message is there once, was heard, and that both who were away have one notification of each.
func wantAll(t *testing.T, app *process, ear *listener, id int64, want int) {
	t.Helper()
	var delta api.Delta
	app.mustAsk("GET", fmt.Sprintf("/api/messages/%d/delta?after_message_id=0&limit=500", id), "", &delta)
	seen := map[string]int{}
	ear.mu.Lock()
	defer ear.mu.Unlock()
	for _, m := range delta.Messages {
		seen[*m.ClientTempID]++
		if ear.heard[m.ID] == 0 {
			t.Errorf("message %d was never heard", m.ID)
		}
	}
	if len(seen) != want || len(delta.Messages) != want {
		t.Errorf("%d messages with %d temp ids, want %d", len(delta.Messages), len(seen), want)
	}
	if len(ear.heard) != want {
		t.Errorf("%d messages were heard, want %d", len(ear.heard), want)
	}
	for _, name := range []string{"bob", "carol"} {
		app.signIn(name)
		notes := map[string]int{}
		for page, more := 1, true; more; page++ {
			var list api.Notifications
			app.mustAsk("GET", fmt.Sprintf("/api/messages/notifications?page=%d", page), "", &list)
			for _, n := range list.Notifications {
				notes[string(n.Data)]++
			}
			more = list.HasMore
		}
		if len(notes) != want {
			t.Errorf("%s has notifications of %d messages, want %d", name, len(notes), want)
		}
	}
}
