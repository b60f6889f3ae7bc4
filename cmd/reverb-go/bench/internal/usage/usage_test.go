package usage

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestParsePage(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Sample
		ok         bool
	}{
		{"plain", "# HELP x\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 2.5e+07\n", Sample{1500 * time.Millisecond, 25_000_000}, true},
		{"prefixed, with labels", `soketi_process_cpu_seconds_total{port="1 }"} 2 1700000000` + "\n" + `soketi_process_resident_memory_bytes{port="1"} 7` + "\n",
			Sample{2 * time.Second, 7}, true},
		{"half", "process_cpu_seconds_total 1\n", Sample{}, false},
		{"not numbers", "process_cpu_seconds_total x\nprocess_resident_memory_bytes\n", Sample{}, false},
		{"something else", "<html>\n", Sample{}, false},
	} {
		got, err := parsePage(strings.NewReader(tt.text))
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%s: got %+v and %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestPage(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte("process_cpu_seconds_total 3\nprocess_resident_memory_bytes 4\n"))
	}))
	defer s.Close()
	got, err := NewPage(s.URL).Sample(t.Context())
	if want := (Sample{3 * time.Second, 4}); err != nil || got != want {
		t.Errorf("got %+v and %v, want %+v", got, err, want)
	}
	status = http.StatusForbidden
	if _, err := NewPage(s.URL).Sample(t.Context()); err == nil {
		t.Error("a page that is forbidden was read")
	}
	if _, err := NewPage("http://127.0.0.1:1/metrics").Sample(t.Context()); err == nil {
		t.Error("a page that is not there was read")
	}
}

// TestProcess looks at this process.
func TestProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	p, err := NewProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	before, err := p.Sample(t.Context())
	if err != nil || before.RSS < 1<<20 {
		t.Fatalf("got %+v and %v, want memory", before, err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		s, err := p.Sample(t.Context())
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("got %+v and %v, want processor time to grow", s, err)
		}
		if s.CPU > before.CPU {
			break
		}
	}
	if p.OpenFiles() <= 0 {
		t.Error("the limit of open files is not known")
	}
	if OwnCPU() <= 0 {
		t.Error("our own processor time is not known")
	}
	if _, err := NewProcess(1 << 30); err == nil {
		t.Error("a process that is not there was found")
	}
}

func TestListener(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(ln.Addr().(*net.TCPAddr).Port)
	if got := Listener(port); got != os.Getpid() {
		t.Errorf("got process %d, want this one, %d", got, os.Getpid())
	}
	ln.Close()
	if got := Listener(port); got != 0 {
		t.Errorf("got process %d for a port that nobody listens on", got)
	}
	if n := PortRange(); n < 1 || n > 65_535 {
		t.Errorf("there are %d ports", n)
	}
}
