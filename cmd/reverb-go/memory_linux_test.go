package main

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryShare(t *testing.T) {
	const meminfo = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    600 kB\n"
	tests := []struct {
		name  string
		files map[string]string
		want  float64
		ok    bool
	}{
		{"nothing is known", nil, 0, false},
		{"the machine", map[string]string{"proc/meminfo": meminfo}, 0.4, true},
		{"no limit", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.current": "900\n",
		}, 0.4, true},
		{"a limit, files apart", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/a/memory.max": "1000\n", "sys/fs/cgroup/a/memory.current": "900\n",
			"sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 100\n",
		}, 0.8, true},
		{"a limit further up", map[string]string{
			"proc/self/cgroup":             "0::/a/b\n",
			"sys/fs/cgroup/memory.max":     "1000",
			"sys/fs/cgroup/memory.current": "500",
		}, 0.5, true},
		{"version 1", map[string]string{
			"proc/self/cgroup": "7:cpu:/x\n3:memory:/a\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes": "700",
			"sys/fs/cgroup/memory/a/memory.stat":           "total_inactive_file 50\n",
		}, 0.65, true},
		{"version 1 without a limit", map[string]string{
			"proc/self/cgroup": "3:memory:/a\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes": "700",
		}, 0, false},
		{"nonsense", map[string]string{
			"proc/meminfo": "MemTotal: x\n", "proc/self/cgroup": "::::\nx\n",
			"sys/fs/cgroup/memory.max": "1000", "sys/fs/cgroup/memory.current": "many",
		}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range tt.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, ok := memoryShareAt(root)
			if math.Abs(got-tt.want) > 1e-9 || ok != tt.ok {
				t.Errorf("got %v, %t, want %v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestMemoryWatch(t *testing.T) {
	m := &memoryWatch{limit: 0.9, log: slog.New(slog.DiscardHandler)}
	for _, tt := range []struct {
		share float64
		want  bool
	}{{0.5, false}, {0.89, false}, {0.9, true}, {0.89, true}, {0.87, false}, {0.95, true}} {
		if m.judge(tt.share); m.isOver() != tt.want {
			t.Errorf("at %v: over is %t", tt.share, m.isOver())
		}
	}
}
