//go:build linux

package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

const (
	restartsThenReload = 20
	restartsThenDrain  = 2
)

// TestOrdersAfterRestart gives orders directly after a restart. They are for the new process: one that reads its configuration
// again has it then, and the next time nothing has changed.
func TestOrdersAfterRestart(t *testing.T) {
	srv := startHandoverServers(t, 1)[0]
	give := func(name, want string) {
		t.Helper()
		if answer := srv.orderDirectly(t, name); !strings.Contains(answer, want) {
			t.Errorf("%s: %s\nwant %s\nThe server said:\n%s", name, answer, want, srv.output.String())
		}
	}
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(srv.dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("artisan", "")
	for i := 0; i < restartsThenReload && !t.Failed(); i++ {
		srv.lingerer(t)
		give("restart", "has taken over")
		write(".env", fmt.Sprintf("REVERB_APP_MAX_MESSAGE_SIZE=%d\n", 20_000+i))
		give("reload", "app app-id has changed")
		give("reload", `"result":null`) // nothing has changed
	}
	for i := 0; i < 3 && !t.Failed(); i++ {
		srv.lingerer(t)
		give("restart", "has taken over")
	}
}

// orderDirectly gives an order as the command of its name does, only faster.
func (s *loadServer) orderDirectly(t *testing.T, name string) (answer string) {
	t.Helper()
	var path string
	for _, setting := range s.env {
		if value, ok := strings.CutPrefix(setting, "REVERB_GO_CONTROL="); ok {
			path = value
		}
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	resp, err := client.Post("http://control/"+name, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// lingerer is a client whose connection the server has closed, but not the client: that keeps the old process from
// ending at once.
func (s *loadServer) lingerer(t *testing.T) {
	t.Helper()
	c := s.dial(t, "a")
	if err := ws.WriteFrame(c.conn, ws.NewTextFrame([]byte("not masked"))); err != nil {
		t.Fatal(err)
	}
	c.hear() // the goodbye
}

// TestDrainAfterRestart ends servers directly after a restart: nobody serves any more.
func TestDrainAfterRestart(t *testing.T) {
	for range restartsThenDrain {
		srv := startHandoverServers(t, 1)[0]
		srv.lingerer(t)
		srv.restart(t)
		if out, err := srv.order(t, srv.binary, "drain"); err != nil || !strings.Contains(out, "Closing 0 connections") {
			t.Errorf("drain: %v %s", err, out)
		}
		<-srv.exited
		if code := srv.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("ended with %v", srv.cmd.ProcessState)
		}
		if isUp(t.Context(), srv.url()+"/up") {
			t.Error("somebody serves on")
		}
		srv.cmd = nil
	}
}
