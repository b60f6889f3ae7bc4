package usage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Page is a server that tells its cost at a Prometheus page, by the metrics that client libraries of
// every language export: process_cpu_seconds_total and process_resident_memory_bytes, with any prefix.
type Page struct {
	URL    string
	Client http.Client
}

// NewPage returns the page at a URL.
func NewPage(url string) *Page {
	return &Page{URL: url, Client: http.Client{Timeout: 5 * time.Second}}
}

// maxPage is more than a page of metrics has.
const maxPage = 16 << 20

// Sample implements Source.
func (p *Page) Sample(ctx context.Context) (Sample, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return Sample{}, fmt.Errorf("ask %s: %w", p.URL, err)
	}
	res, err := p.Client.Do(req)
	if err != nil {
		return Sample{}, fmt.Errorf("ask for metrics: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Sample{}, fmt.Errorf("%s answered %s", p.URL, res.Status)
	}
	return parsePage(io.LimitReader(res.Body, maxPage))
}

func parsePage(r io.Reader) (s Sample, err error) {
	found := 0
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, ok := parseMetric(lines.Text())
		switch {
		case !ok:
		case strings.HasSuffix(name, "process_cpu_seconds_total"):
			s.CPU = time.Duration(value * float64(time.Second))
			found |= 1
		case strings.HasSuffix(name, "process_resident_memory_bytes"):
			s.RSS = int64(value)
			found |= 2
		}
	}
	if err := lines.Err(); err != nil {
		return s, fmt.Errorf("read metrics: %w", err)
	}
	if found != 3 {
		return s, errors.New("the page has no process_cpu_seconds_total and process_resident_memory_bytes")
	}
	return s, nil
}

// parseMetric reads a line like name{label="x"} 1.5.
func parseMetric(line string) (name string, value float64, ok bool) {
	if strings.HasPrefix(line, "#") {
		return "", 0, false
	}
	name, rest, ok := strings.Cut(line, " ")
	if i := strings.IndexByte(line, '{'); i >= 0 {
		end := strings.LastIndexByte(line, '}')
		if end < i {
			return "", 0, false
		}
		name, rest = line[:i], line[end+1:]
	} else if !ok {
		return "", 0, false
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	return name, value, err == nil
}
