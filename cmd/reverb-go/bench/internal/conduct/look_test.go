package conduct

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// TestServerThatEnds has the process that is looked at end once all are connected. What the clients found is
// told all the same.
func TestServerThatEnds(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	tg := startServer(t)
	process := exec.Command("sleep", "600")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	tg.PID = process.Process.Pid
	end := sync.OnceFunc(func() {
		if err := process.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = process.Wait() // it was killed
	})
	defer end()
	scenario := small(t, "fanout", func(s *plan.Scenario) { s.Duration = time.Second })
	o := run(t, Config{Target: tg, Scenario: scenario, Watch: func(s State) {
		if s.Phase != "connecting" {
			end()
		}
	}})
	if o.Server != nil || !errors.Is(o.ServerErr, usage.ErrEnded) {
		t.Errorf("got %+v and %v, want to hear that the process ended", o.Server, o.ServerErr)
	}
	if o.Result.Deliveries == 0 {
		t.Error("the deliveries were forgotten")
	}
}

// TestPageThatFails has the page with the server's cost fail after some looks. What was used before would
// otherwise be charged to the test, or all of it be lost.
func TestPageThatFails(t *testing.T) {
	for good := int64(3); good < 5; good++ { // the first look of the measured time is the fourth
		var looks atomic.Int64
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if looks.Add(1) > good {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.Write([]byte("process_cpu_seconds_total 1000\nprocess_resident_memory_bytes 1\n"))
		}))
		defer page.Close()
		tg := startServer(t)
		tg.Metrics = page.URL
		o := run(t, Config{Target: tg, Scenario: small(t, "idle", func(s *plan.Scenario) { s.Subscribers = 2 })})
		if o.Server != nil || o.ServerErr == nil || !strings.Contains(o.ServerErr.Error(), "503") {
			t.Errorf("%d good looks: got %+v and %v, want to hear that it is not known", good, o.Server, o.ServerErr)
		}
	}
}

// TestServerWithFewFiles has connecting fail with a server that may have few files open, which may be why.
func TestServerWithFewFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	process := exec.Command("sh", "-c", "ulimit -n 20 && echo && exec sleep 600")
	said, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := process.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = process.Wait() // it was killed
	}()
	if _, err := said.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	tg := targetAt(t, "ws://k:s@127.0.0.1:1/1") // nobody listens there
	tg.PID = process.Process.Pid
	_, err = Run(t.Context(), Config{Target: tg, Scenario: small(t, "idle", nil)})
	if err == nil || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), "may open 20 files only") {
		t.Errorf("got %v, want what happened and what may be why", err)
	}
}
