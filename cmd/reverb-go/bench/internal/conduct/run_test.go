package conduct

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/undertest"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// startServer runs a server in this process.
func startServer(t *testing.T) target.Target {
	t.Helper()
	return targetAt(t, undertest.Start(t, "ws", nil))
}

func targetAt(t *testing.T, url string) target.Target {
	t.Helper()
	tg, err := target.Parse("under test", url)
	if err != nil {
		t.Fatal(err)
	}
	if err := tg.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tg
}

// small makes a scenario short, with few connections.
func small(t *testing.T, kind string, change func(*plan.Scenario)) plan.Scenario {
	t.Helper()
	s, err := plan.Builtin(kind)
	if err != nil {
		t.Fatal(err)
	}
	shrink(&s)
	if change != nil {
		change(&s)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

func shrink(s *plan.Scenario) {
	s.Warmup, s.Duration = 50*time.Millisecond, 300*time.Millisecond
	s.Connections, s.Channels, s.Subscribers = min(s.Connections, 100), min(s.Channels, 10), min(s.Subscribers, 20)
	s.Life = min(s.Life, 100*time.Millisecond)
	if s.Scenario == "reconnect-storm" {
		s.Duration = 10 * time.Second // it ends when all are back
	}
	for i := range s.Parts {
		shrink(&s.Parts[i])
	}
}

// run does a test in which nothing may go wrong.
func run(t *testing.T, cfg Config) *Outcome {
	t.Helper()
	o, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := o.Result
	t.Logf("%s: %+v, check %+v, problems %v, unsent %d, busy %v", cfg.Scenario.Shape(), r.Counters, r.Check, r.Problems, r.Unsent, r.Busy)
	for kind, h := range r.Latency {
		t.Logf("  %s: %d, median %v, p99 %v", kind, h.Count(), h.Quantile(0.5), h.Quantile(0.99))
	}
	if !r.Check.Clean() || len(r.Problems) > 0 || r.Altered > 0 || r.Missing > 0 {
		t.Errorf("something went wrong")
	}
	return o
}

func TestScenarios(t *testing.T) {
	tg := startServer(t)
	for _, kind := range plan.Names {
		t.Run(kind, func(t *testing.T) {
			o := run(t, Config{Target: tg, Scenario: small(t, kind, nil)})
			if want := o.Plan.Members(); o.Sockets != want {
				t.Errorf("%d were connected before the start, want %d", o.Sockets, want)
			}
			if o.Server == nil || o.Server.End.RSS == 0 || o.Server.End.CPU < o.Server.Begin.CPU {
				t.Errorf("the server cost %+v, want to know what it cost", o.Server)
			}
		})
	}
}

// TestFullSpeed has each kind of sender go as fast as the server confirms. It must not stop halfway: whoever waits
// for a confirmation goes on when it comes.
func TestFullSpeed(t *testing.T) {
	tg := startServer(t)
	for _, kind := range []string{"fanout", "whisper", "presence", "publish", "connect", "churn"} {
		t.Run(kind, func(t *testing.T) {
			s := small(t, kind, func(s *plan.Scenario) { s.Rate, s.Window, s.Life = plan.Max, 2, min(s.Life, time.Millisecond) })
			r := run(t, Config{Target: tg, Scenario: s}).Result
			done := r.Check.Delivered/int64(max(s.Subscribers, 1)) + r.Published + r.Ready
			if done < 10 {
				t.Errorf("%d were done, want far more than the %d that may be under way", done, s.Window)
			}
		})
	}
}

// TestWorkers divides a test between processes.
func TestWorkers(t *testing.T) {
	// A program that was built with -race sleeps for a second before it ends, unless told not to.
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	tg := startServer(t)
	for _, kind := range []string{"fanout", "whisper", "presence", "reconnect-storm"} {
		t.Run(kind, func(t *testing.T) {
			cfg := Config{Target: tg, Scenario: small(t, kind, nil), Workers: 2, Loops: 2, Command: []string{os.Args[0], "worker"}}
			if o := run(t, cfg); o.Workers != 2 {
				t.Errorf("%d workers took part, want 2", o.Workers)
			}
		})
	}
}

// TestTLS has the certificate believed and not.
func TestTLS(t *testing.T) {
	owner := httptest.NewUnstartedServer(nil)
	owner.StartTLS()
	defer owner.Close()
	cfg := &tls.Config{Certificates: owner.TLS.Certificates}
	tg := targetAt(t, undertest.Start(t, "wss", func(ln net.Listener) net.Listener { return tls.NewListener(ln, cfg) }))
	tg.Insecure = true
	run(t, Config{Target: tg, Scenario: small(t, "fanout", func(s *plan.Scenario) { s.Subscribers = 5 })})
	tg.Insecure = false
	_, err := Run(t.Context(), Config{Target: tg, Scenario: small(t, "idle", nil)})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v, want an error about the certificate", err)
	}
}

// TestMain is a worker when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if err := crew.Serve(context.Background(), os.Stdin, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestSourceAddresses(t *testing.T) {
	addr := netip.MustParseAddrPort("127.0.0.1:80")
	for _, tt := range []struct {
		name        string
		to          string
		connections int
		given       []netip.Addr
		want        int // addresses
	}{
		{"few", "127.0.0.1:80", 1_000, nil, 0},
		{"more than there are ports", "127.0.0.1:80", 100_000, nil, 1 + 100_000/(usage.PortRange()*4/10)},
		{"given", "127.0.0.1:80", 100, []netip.Addr{addr.Addr()}, 1},
		{"elsewhere", "192.0.2.1:80", 100_000, nil, 0},
	} {
		c := Config{Target: target.Target{Addr: netip.MustParseAddrPort(tt.to)}, Sources: tt.given}
		p := plan.Scenario{Scenario: "idle", Channels: 1, Subscribers: tt.connections}.Plan(1)
		if runtime.GOOS != "linux" && tt.given == nil {
			tt.want = 0
		}
		if got := c.sources(p); len(got) != tt.want {
			t.Errorf("%s: got %d addresses, want %d", tt.name, len(got), tt.want)
		}
	}
}

func TestMoreConnectionsThanWorkersMayHave(t *testing.T) {
	p := plan.Scenario{Scenario: "idle", Channels: 1, Subscribers: 1_000_000_000}.Plan(1)
	for _, c := range []Config{{}, {Workers: 1}} {
		if n, err := c.crewSize(p); err == nil {
			t.Errorf("%+v: got %d workers for a billion connections, want an error", c, n)
		}
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	tg := targetAt(t, "ws://k:s@127.0.0.1:1/1?pid=1999999999")
	if _, err := Run(t.Context(), Config{Target: tg, Scenario: small(t, "idle", nil)}); err == nil {
		t.Error("a process that is not there was measured")
	}
}
