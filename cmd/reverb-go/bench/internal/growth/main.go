// Command growth draws how the cost of a server grows: with its connections, from reports of bench, and with its channels, from
// the output of go test -bench BenchmarkChannels on standard input.
//
//	growth [-docs docs] REPORT.json… < benchmarks.txt
//
// It writes pictures into the folder images of docs, and the numbers between markers into performance.md.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("growth: ")
	docs := flag.String("docs", "docs", "folder of performance.md")
	flag.Parse()
	if err := run(*docs, flag.Args(), os.Stdin); err != nil {
		log.Fatal(err)
	}
}

func run(docs string, reports []string, benchmarks io.Reader) error {
	all := &report.Report{}
	for _, path := range reports {
		r, err := report.Read(path)
		if err != nil {
			return err
		}
		all.Join(r)
	}
	byChannels, err := readBenchmarks(benchmarks)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, part := range []struct {
		name   string
		growth report.Growth
	}{
		{"deliveries", all.GrowthOf("fanout", report.KeyCost, "server CPU per delivery")},
		{"memory", all.GrowthOf("idle", report.KeyMemory, "server memory per idle connection")},
		{"channels", byChannels},
	} {
		file := "growth-" + part.name + ".svg"
		if err := os.WriteFile(filepath.Join(docs, "images", file), part.growth.SVG(), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&text, "![%s, by %s](images/%s)\n\n%s\n", part.growth.Title, part.growth.Over, file, part.growth.Table())
	}
	return replace(filepath.Join(docs, "performance.md"), text.Bytes())
}

// readBenchmarks reads lines such as "BenchmarkChannels/channels=1000-2  800000  1648 ns/op  386 B/channel".
func readBenchmarks(r io.Reader) (report.Growth, error) {
	values := make(map[float64][]float64)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || fields[3] != "ns/op" {
			continue
		}
		_, size, isOurs := strings.Cut(fields[0], "BenchmarkChannels/channels=")
		size, _, _ = strings.Cut(size, "-")
		at, err := strconv.ParseFloat(size, 64)
		ns, errNS := strconv.ParseFloat(fields[2], 64)
		if isOurs && err == nil && errNS == nil {
			values[at] = append(values[at], ns/1e3)
		}
	}
	if len(values) == 0 {
		return report.Growth{}, fmt.Errorf("no benchmark on standard input; hint: go test ./server -run '^$' -bench BenchmarkChannels")
	}
	c := report.Curve{Name: "reverb-go", Points: make(map[float64]report.Spread)}
	for at, all := range values {
		c.Points[at] = report.NewSpread(all)
	}
	return report.Growth{Title: "CPU per event to one subscriber", Unit: "µs", Over: "channels", Curves: []report.Curve{c}}, nil
}

const begin, end = "<!-- growth -->\n", "<!-- /growth -->"

// replace puts text between the markers of a document.
func replace(path string, text []byte) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, began := bytes.Cut(old, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !began || !ended {
		return fmt.Errorf("%s does not have the markers %q and %q", path, begin, end)
	}
	return os.WriteFile(path, bytes.Join([][]byte{before, []byte(begin), text, []byte(end), after}, nil), 0o644)
}
