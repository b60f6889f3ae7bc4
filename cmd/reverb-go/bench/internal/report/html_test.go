package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

func pageOf(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPageStandsAlone looks for whatever a browser would load.
func TestPageStandsAlone(t *testing.T) {
	page := pageOf(t, newReport(t, 2, "a", "b"))
	for _, pattern := range []string{`(?i)\bsrc=`, `(?i)<link`, `(?i)@import`, `(?i)url\(`, `(?i)<script`, `(?i)href="[^#]`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page has %q, which may load something", found)
		}
	}
	for _, want := range []string{"<svg", "Deliveries per second", "Delivery latency by percentile", "P99 latency", "Server CPU", "Every message arrived once",
		"server CPU per delivery", "2 rounds"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "NaN") {
		t.Error("the page has a value that could not be shown")
	}
}

func TestPageTellsOfFailures(t *testing.T) {
	r := newReport(t, 1, "a")
	r.Runs[0].Failures = []string{"3 deliveries were lost"}
	r.Runs[0].Check.Lost = 3
	r.Runs = append(r.Runs, NewFailure(scenario(t, "idle"), target.Target{Name: "a"}, 1, errors.New("no way")))
	page := pageOf(t, r)
	for _, want := range []string{"2 of 2 runs failed", "3 deliveries were lost", "could not be done: no way"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if strings.Contains(page, "Every message arrived once") {
		t.Error("the page says that all is well")
	}
}

// TestPageOfNoMessages has a test without any: nothing can be said of them.
func TestPageOfNoMessages(t *testing.T) {
	r := New(1, day)
	r.Runs = append(r.Runs, NewRun(scenario(t, "idle"), target.Target{Name: "a"}, 1, outcome(func(o *conduct.Outcome) { o.Result.Check.Delivered = 0 })))
	if page := pageOf(t, r); strings.Contains(page, "arrived once") || !strings.Contains(page, "Nothing failed.") {
		t.Error("the page does not say that nothing failed, and no more")
	}
}

// TestHighlights has the rate in large type where it is what a server can do, and not where it is what was asked for.
func TestHighlights(t *testing.T) {
	for rate, want := range map[plan.Rate]bool{20: false, plan.Max: true} {
		s := scenario(t, "fanout")
		s.Rate = rate
		r := New(1, day)
		r.Runs = append(r.Runs, NewRun(s, target.Target{Name: "a"}, 1, outcome(nil)))
		got := false
		for _, f := range r.page().Highlights[0].Numbers {
			got = got || f.What == "deliveries per second"
		}
		if got != want {
			t.Errorf("rate %v: the rate is shown: %v, want %v", rate, got, want)
		}
	}
}

// TestBarsOfFailures has one of two servers lose messages, whose cost per delivery looks as good as the other's.
func TestBarsOfFailures(t *testing.T) {
	r := newReport(t, 1, "a", "b")
	r.Runs[1].Failures = []string{"3 deliveries were lost"}
	bars := r.page().Highlights[0].Bars
	if len(bars) != 2 || bars[0].Failed || !bars[1].Failed {
		t.Errorf("got bars %+v, want the second one to be marked", bars)
	}
	if n := strings.Count(pageOf(t, r), ">failed<"); n != 1 {
		t.Errorf("the page marks %d bars, want 1", n)
	}
}

func TestPageEscapesNames(t *testing.T) {
	const evil = `<script>alert("x")</script>`
	page := pageOf(t, newReport(t, 1, evil, "b"))
	if strings.Contains(page, "<script") {
		t.Error("a name became part of the page")
	}
}

// TestChartsAreXML has the charts parsed, and looks for points outside of them.
func TestChartsAreXML(t *testing.T) {
	r := newReport(t, 2, "a & b", "c")
	for _, c := range r.charts("fanout", r.page().Servers) {
		d := xml.NewDecoder(strings.NewReader(string(c)))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, c)
			}
			start, ok := token.(xml.StartElement)
			if !ok || start.Name.Local != "polyline" {
				continue
			}
			for _, attr := range start.Attr {
				if attr.Name.Local == "points" && (attr.Value == "" || strings.ContainsAny(attr.Value, "-N")) {
					t.Errorf("a line has the points %q", attr.Value)
				}
			}
		}
	}
}

func TestAxes(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  axis
		high float64
		want []float64
	}{
		{"linear", newLinear(7, 4), 8, []float64{0, 2, 4, 6, 8}},
		{"linear, round", newLinear(100, 4), 100, []float64{0, 50, 100}},
		{"linear, nothing", newLinear(0, 4), 1, []float64{0, 0.5, 1}},
		{"log", newLog(0.02, 30), 100, []float64{0.01, 0.1, 1, 10, 100}},
		{"log, one value", newLog(10, 10), 100, []float64{10, 100}},
	} {
		if math.Abs(tt.got.high-tt.high) > 1e-9 || len(tt.got.ticks) != len(tt.want) {
			t.Errorf("%s: got ticks %v up to %v, want %v up to %v", tt.name, tt.got.ticks, tt.got.high, tt.want, tt.high)
			continue
		}
		for i := range tt.want {
			if math.Abs(tt.got.ticks[i]-tt.want[i]) > 1e-9 {
				t.Errorf("%s: got ticks %v, want %v", tt.name, tt.got.ticks, tt.want)
			}
		}
	}
	a := newLog(1, 100)
	for v, want := range map[float64]float64{1: 0, 10: 0.5, 100: 1, 1000: 1} {
		if got := a.at(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v is at %v, want %v", v, got, want)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var h hist.Histogram
	for i := range 100 {
		h.Record(int64(i+1) * int64(time.Millisecond))
	}
	points := percentiles(&h)
	if last := points[len(points)-1]; math.Abs(last.x-2) > 1e-6 || math.Abs(last.y-99) > 1 {
		t.Errorf("the curve ends with %+v, want 99 ms at two nines: there are 100 values", last)
	}
	for i := 1; i < len(points); i++ {
		if points[i].y < points[i-1].y {
			t.Errorf("the curve falls from %+v to %+v", points[i-1], points[i])
		}
	}
	if got := percentiles(&hist.Histogram{}); got != nil {
		t.Errorf("got %v for no values", got)
	}
}

func TestOverTime(t *testing.T) {
	rate := func(p Point) float64 { return p.Rate }
	runs := []Run{{Series: []Point{{At: 1, Rate: 10}, {At: 2, Rate: 5}}}, {Series: []Point{{At: 1, Rate: 20}}}, {Series: []Point{{At: 1, Rate: 90}}}}
	if got, want := overTime(runs, rate), []point{{1, 20}, {2, 5}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want the medians %v", got, want)
	}
	if got := overTime([]Run{{Series: []Point{{At: 1}}}}, rate); got != nil {
		t.Errorf("got %v of a series in which nothing happens", got)
	}
}

func TestMarkdown(t *testing.T) {
	r := newReport(t, 3, "a", "b")
	var b strings.Builder
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| | a | b |\n|---|---:|---:|\n", "| fanout<br>server CPU per delivery | 500 µs (500–500) | 500 µs (500–500)<br>1.00× |\n", "latency p99",
		"26 November 2026", "medians of 3 rounds"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got\n%s\nwant it to have %q", b.String(), want)
		}
	}
}
