package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const benchmarks = `goos: linux
BenchmarkChannels/channels=1-2      1000000   2000 ns/op   3440 B/channel
BenchmarkChannels/channels=1-2      1000000   4000 ns/op   3440 B/channel
BenchmarkChannels/channels=100000-2  551540   1971 ns/op    275 B/channel
BenchmarkOther-2                     551540      1 ns/op
PASS
`

func TestRun(t *testing.T) {
	docs := t.TempDir()
	if err := os.Mkdir(filepath.Join(docs, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	doc := filepath.Join(docs, "performance.md")
	if err := os.WriteFile(doc, []byte("before\n"+begin+"old\n"+end+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(docs, nil, strings.NewReader(benchmarks)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n" + begin, end + "\nafter\n", "images/growth-channels.svg", "| reverb-go | 3.00 µs | 1.97 µs |"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document does not have %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("what was there before is left")
	}
	for _, name := range []string{"deliveries", "memory", "channels"} {
		if _, err := os.Stat(filepath.Join(docs, "images", "growth-"+name+".svg")); err != nil {
			t.Error(err)
		}
	}
	if err := run(docs, nil, strings.NewReader("PASS\n")); err == nil {
		t.Error("no benchmark is taken for some")
	}
}
