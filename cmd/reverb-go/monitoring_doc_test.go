package main

import (
	"encoding/json"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/reverb-go/reverb-go/metrics"
)

const (
	alertsDoc     = "../../docs/prometheus/alerts.yml"
	dashboardDoc  = "../../docs/grafana/reverb-go.json"
	operationsDoc = "../../docs/operations.md"
)

// alertFile is alertsDoc, with the keys that Prometheus knows.
type alertFile struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// TestAlerts holds the alerts to the metrics there are, and to the manual.
func TestAlerts(t *testing.T) {
	var file alertFile
	if err := yaml.UnmarshalWithOptions(read(t, alertsDoc), &file, yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	known, manual := exported(t), string(read(t, operationsDoc))
	for _, a := range file.Groups[0].Rules {
		t.Run(a.Alert, func(t *testing.T) {
			known.check(t, a.Expr)
			if !slices.Contains([]string{"page", "ticket"}, a.Labels["severity"]) {
				t.Errorf("its severity is %q", a.Labels["severity"])
			}
			if got, want := a.Annotations["runbook"], "docs/operations.md#"+strings.ToLower(a.Alert); got != want {
				t.Errorf("its runbook is %s, want %s", got, want)
			}
			if !strings.Contains(manual, "\n### "+a.Alert+"\n") {
				t.Errorf("%s does not say what to do", operationsDoc)
			}
			checkTemplate(t, a.Annotations["summary"])
		})
	}
	for _, m := range regexp.MustCompile(`(?m)^### (Reverb\w+)$`).FindAllStringSubmatch(manual, -1) {
		if !slices.ContainsFunc(file.Groups[0].Rules, func(a alert) bool { return a.Alert == m[1] }) {
			t.Errorf("%s explains %s, and there is no such alert", operationsDoc, m[1])
		}
	}
}

// checkTemplate parses a text as Prometheus does.
func checkTemplate(t *testing.T, text string) {
	t.Helper()
	functions := template.FuncMap{}
	for _, name := range []string{"humanize", "humanize1024", "humanizeDuration", "humanizePercentage"} {
		functions[name] = func(v any) any { return v }
	}
	if _, err := template.New("").Funcs(functions).Parse("{{$labels := .Labels}}{{$value := .Value}}" + text); err != nil || text == "" {
		t.Errorf("%q: %v", text, err)
	}
}

// TestDashboard holds the queries of the dashboard to the metrics there are.
func TestDashboard(t *testing.T) {
	var dashboard any
	if err := json.Unmarshal(read(t, dashboardDoc), &dashboard); err != nil {
		t.Fatal(err)
	}
	known := exported(t)
	expressions := valuesOf(dashboard, "expr")
	if len(expressions) < 30 {
		t.Fatalf("there are %d queries", len(expressions))
	}
	for _, e := range expressions {
		known.check(t, strings.ReplaceAll(e, "$__rate_interval", "5m"))
	}
	seen := strings.Join(append(expressions, string(read(t, operationsDoc))), "\n")
	for name := range known {
		if strings.HasPrefix(name, "reverb_") && !strings.Contains(seen, strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")) {
			t.Errorf("%s is neither on the dashboard nor in %s", name, operationsDoc)
		}
	}
}

// valuesOf returns all strings under a key, at any depth.
func valuesOf(v any, key string) (list []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if text, ok := inner.(string); ok && k == key {
				list = append(list, text)
			}
			list = append(list, valuesOf(inner, key)...)
		}
	case []any:
		for _, inner := range v {
			list = append(list, valuesOf(inner, key)...)
		}
	}
	return list
}

// knownSeries are the metrics by their names, and the labels of each with the values known beforehand.
type knownSeries map[string]map[string][]string

// exported returns what a server exports.
func exported(t *testing.T) knownSeries {
	t.Helper()
	known := knownSeries{"up": {}}
	r := describer{prometheus.NewRegistry(), known}
	metrics.New(r)
	metrics.NewCluster(r)
	metrics.NewBridge(r)
	metrics.NewWebhooks(r)
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		r.MustRegister(c)
	}
	for _, s := range exportedSeries(t) {
		name, pairs, _ := strings.Cut(strings.TrimSuffix(s, "}"), "{")
		for label, value := range labelsIn(pairs) {
			known[name][label] = append(known[name][label], value)
		}
	}
	return known
}

func labelsIn(pairs string) map[string]string {
	found := make(map[string]string)
	for _, m := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(pairs, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// A describer notes what is registered, whether it has been used yet or not.
type describer struct {
	*prometheus.Registry
	known knownSeries
}

var descForm = regexp.MustCompile(`^Desc\{fqName: "(\w+)".*variableLabels: \{(.*)\}\}$`)

func (d describer) MustRegister(list ...prometheus.Collector) {
	for _, c := range list {
		descs := make(chan *prometheus.Desc, 1000)
		c.Describe(descs)
		close(descs)
		for desc := range descs {
			m := descForm.FindStringSubmatch(desc.String())
			names := []string{m[1]}
			if _, isHistogram := c.(*prometheus.HistogramVec); isHistogram {
				names = []string{m[1] + "_bucket", m[1] + "_sum", m[1] + "_count"}
			}
			for _, name := range names {
				d.known[name] = make(map[string][]string)
				for label := range strings.FieldsFuncSeq(m[2], func(r rune) bool { return r == ',' || r == ' ' }) {
					d.known[name][label] = nil
				}
			}
		}
	}
	d.Registry.MustRegister(list...)
}

// ofPrometheus are the labels that every series gets.
var ofPrometheus = []string{"job", "instance", model.MetricNameLabel}

// check parses an expression, and looks for all that it names.
func (known knownSeries) check(t *testing.T, expression string) {
	t.Helper()
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		t.Errorf("%s: %v", expression, err)
		return
	}
	used := slices.Clone(ofPrometheus)
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			used = append(used, known.checkSelector(t, s)...)
		}
		return nil
	})
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if a, ok := n.(*parser.AggregateExpr); ok {
			for _, label := range a.Grouping {
				if !slices.Contains(used, label) {
					t.Errorf("%s: no metric in it has the label %s", expression, label)
				}
			}
		}
		return nil
	})
}

// checkSelector returns the labels of a metric.
func (known knownSeries) checkSelector(t *testing.T, s *parser.VectorSelector) (of []string) {
	t.Helper()
	values, exists := known[s.Name]
	if !exists {
		if runtime.GOOS == "linux" || !strings.HasPrefix(s.Name, "process_") {
			t.Errorf("%s: there is no such metric", s)
		}
		return nil
	}
	for label := range values {
		of = append(of, label)
	}
	if strings.HasSuffix(s.Name, "_bucket") {
		of = append(of, "le")
	}
	for _, m := range s.LabelMatchers {
		switch {
		case slices.Contains(ofPrometheus, m.Name):
		case !slices.Contains(of, m.Name):
			t.Errorf("%s: the metric has no label %s", s, m.Name)
		default:
			for value := range strings.SplitSeq(m.Value, "|") {
				one := labels.MustNewMatcher(m.Type, m.Name, value)
				if !slices.ContainsFunc(values[m.Name], one.Matches) {
					t.Errorf("%s: no %s is %s", s, m.Name, value)
				}
			}
		}
	}
	return of
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
