package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/check"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

// version is raised when old reports cannot be read any more.
const version = 1

// A Report is what was found at one time on one machine.
type Report struct {
	Version int       `json:"version"`
	Made    time.Time `json:"made"`
	Machine Machine   `json:"machine"`
	Rounds  int       `json:"rounds"`
	Runs    []Run     `json:"runs"`
}

// Machine is where the client ran.
type Machine struct {
	OS         string  `json:"os"`
	Kernel     string  `json:"kernel,omitempty"`
	CPU        string  `json:"cpu,omitempty"`
	Processors int     `json:"processors"`
	Memory     int64   `json:"memory,omitempty"` // bytes
	Load       float64 `json:"load,omitempty"`   // average of the minute before
	Go         string  `json:"go"`
}

// A Run is one test of one server.
type Run struct {
	Label    string        `json:"label"`
	Shape    string        `json:"shape"`
	Scenario plan.Scenario `json:"scenario"`
	Server   string        `json:"server"`
	URL      string        `json:"url"`
	Round    int           `json:"round"`           // from 1
	Fresh    bool          `json:"fresh,omitempty"` // the first round, before which the server had not done the same

	Measured float64            `json:"measured_seconds"`
	Counters crew.Counters      `json:"counters"`
	Check    check.Counts       `json:"check"`
	Altered  int64              `json:"altered"`
	Unsent   int64              `json:"unsent"`
	Missing  int64              `json:"missing"`
	Slow     int64              `json:"slow,omitempty"`
	SlowGone int64              `json:"slow_gone,omitempty"`
	Problems map[string]int64   `json:"problems,omitempty"`
	Latency  map[string]Latency `json:"latency"`
	Primary  string             `json:"primary,omitempty"` // of the latencies
	Cost     *Cost              `json:"server_cost,omitempty"`
	Client   Client             `json:"client"`
	Series   []Point            `json:"series"`
	Metrics  []Metric           `json:"metrics"`
	Failures []string           `json:"failures,omitempty"`
	Warnings []string           `json:"warnings,omitempty"`
}

// Latency is a distribution, in milliseconds.
type Latency struct {
	Count     int64           `json:"count"`
	Mean      float64         `json:"mean_ms"`
	P50       float64         `json:"p50_ms"`
	P90       float64         `json:"p90_ms"`
	P99       float64         `json:"p99_ms"`
	P999      float64         `json:"p999_ms"`
	Max       float64         `json:"max_ms"`
	Histogram *hist.Histogram `json:"histogram"` // HdrHistogram's V2 format, nanoseconds
}

// Cost is what the server used.
type Cost struct {
	CPU       float64 `json:"cpu_seconds"` // from the begin of the measured time until all had arrived
	Span      float64 `json:"span_seconds"`
	RSSBefore int64   `json:"rss_before"` // bytes: before anybody was connected,
	RSSReady  int64   `json:"rss_ready"`  // when everybody was,
	RSSEnd    int64   `json:"rss_end"`    // at the end,
	RSSPeak   int64   `json:"rss_peak"`   // and the highest seen
}

// Client is what the test itself used.
type Client struct {
	CPU      float64   `json:"cpu_seconds"`
	PerFrame float64   `json:"cpu_us_per_frame"` // received
	Busy     []float64 `json:"busy"`             // share of time each loop worked
	Workers  int       `json:"workers"`
	Loops    int       `json:"loops"`
	Sockets  int       `json:"sockets"` // connected before the start
}

// A Point is a moment of the measured time.
type Point struct {
	At   float64 `json:"at"`   // seconds since its begin
	Rate float64 `json:"rate"` // per second, of what matters most
	P50  float64 `json:"p50_ms,omitempty"`
	P99  float64 `json:"p99_ms,omitempty"`
	Max  float64 `json:"max_ms,omitempty"`
	CPU  float64 `json:"server_cpu,omitempty"` // processors, in the last half second
	RSS  int64   `json:"server_rss,omitempty"`
}

// New returns an empty report of this machine.
func New(rounds int, now time.Time) *Report {
	m := Machine{OS: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(), Go: runtime.Version()}
	m.describe()
	return &Report{Version: version, Made: now.UTC().Truncate(time.Second), Machine: m, Rounds: rounds}
}

// Failed returns how many runs failed.
func (r *Report) Failed() (n int) {
	for _, run := range r.Runs {
		if len(run.Failures) > 0 {
			n++
		}
	}
	return n
}

// Labels returns the labels of all runs, in order of appearance.
func (r *Report) Labels() []string {
	return distinct(r.Runs, func(run Run) string { return run.Label })
}

// Servers returns the names of all servers, in order of appearance.
func (r *Report) Servers() []string {
	return distinct(r.Runs, func(run Run) string { return run.Server })
}

func distinct(runs []Run, name func(Run) string) (names []string) {
	for _, run := range runs {
		if !slices.Contains(names, name(run)) {
			names = append(names, name(run))
		}
	}
	return names
}

// Of returns the runs of a scenario with a server, by round.
func (r *Report) Of(label, server string) (runs []Run) {
	for _, run := range r.Runs {
		if run.Label == label && run.Server == server {
			runs = append(runs, run)
		}
	}
	return runs
}

// WriteJSON writes the report as Read reads it.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Join adds the runs of another report, which are further rounds of what is in both.
func (r *Report) Join(o *Report) {
	before := slices.Clone(r.Runs)
	for _, run := range o.Runs {
		for i := range before {
			if before[i].Label == run.Label && before[i].Server == run.Server {
				run.Round++
			}
		}
		r.Runs = append(r.Runs, run)
		r.Rounds = max(r.Rounds, run.Round)
	}
}

// Read reads a report that WriteJSON wrote to a file.
func Read(path string) (*Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case r.Version != version:
		return nil, fmt.Errorf("read %s: it is a report of version %d, not %d", path, r.Version, version)
	case len(r.Runs) == 0:
		return nil, fmt.Errorf("read %s: %w", path, errors.New("it has no runs"))
	}
	return &r, nil
}
