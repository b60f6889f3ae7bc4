package report

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestGrowth(t *testing.T) {
	r := newReport(t, 2, "a", "b")
	small := len(r.Runs)
	for i := range small {
		run := r.Runs[i]
		run.Scenario.Subscribers *= 10
		run.Metrics = []Metric{{Key: KeyCost, Unit: "µs", Value: 3}}
		r.Runs = append(r.Runs, run)
	}
	r.Runs[small].Failures = []string{"3 deliveries were lost"}
	r.Runs[small].Metrics = []Metric{{Key: KeyCost, Unit: "µs", Value: 1000}}
	g := r.GrowthOf("fanout", KeyCost, "server CPU per delivery")
	if len(g.sizes()) != 2 || len(g.Curves) != 2 {
		t.Fatalf("got %d sizes of %d servers, want 2 of 2", len(g.sizes()), len(g.Curves))
	}
	for _, c := range g.Curves {
		if got := c.Points[g.sizes()[1]].Median; got != 3 {
			t.Errorf("%s: the median is %v, want 3: a failed run does not count", c.Name, got)
		}
	}
	picture := string(g.SVG())
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
	for _, want := range []string{"Server CPU per delivery", ">a<", ">b<", "connections", "--s0", "3.00 µs"} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture does not have %q", want)
		}
	}
	if want := "| server CPU per delivery, by connections |"; !strings.HasPrefix(g.Table(), want) || strings.Count(g.Table(), "3.00 µs") != 2 {
		t.Errorf("the table is %s", g.Table())
	}
}
