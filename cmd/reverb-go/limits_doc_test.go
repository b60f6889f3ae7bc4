package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/metrics"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

const limitsDoc = "../../docs/limits.md"

// A documentedLimit is a row of the tables in limitsDoc.
type documentedLimit struct{ setting, variable, def string }

// TestLimitsDoc compares the documentation of limits with the program.
func TestLimitsDoc(t *testing.T) {
	rows := readLimits(t)
	documented := make(map[string]bool)
	for _, row := range rows {
		documented[row.setting] = true
		t.Run(row.setting, func(t *testing.T) { wantLimit(t, row) })
	}
	for _, s := range loadWith(t).Settings {
		if isLimit.MatchString(s.Name) && !documented[s.Name] && !slices.Contains(notLimits, s.Name) {
			t.Errorf("%s is not in %s", s.Name, limitsDoc)
		}
	}
}

// isLimit knows the settings that are limits by their names.
var isLimit = regexp.MustCompile(`^(servers\.reverb|apps\.apps\.0)\.(max_.*|.*_limit|.*_timeout|rate_limiting\..*|.*_ttl|.*_tolerance|ping_interval)$`)

// notLimits are settings that sound like limits to isLimit.
var notLimits = []string{"apps.apps.0.activity_timeout"}

func readLimits(t *testing.T) (rows []documentedLimit) {
	t.Helper()
	for line := range strings.Lines(readDoc(t)) {
		cells := strings.Split(line, "|") // the first and the last are empty
		if len(cells) != 8 || !strings.Contains(cells[2], "`") {
			continue
		}
		name, isOfApp := strings.CutPrefix(strings.TrimSpace(cells[2]), "app ")
		prefix := "servers.reverb."
		if isOfApp {
			prefix = "apps.apps.0."
		}
		rows = append(rows, documentedLimit{prefix + strings.Trim(name, "`"), strings.Trim(cells[3], " `"), strings.Trim(cells[4], " `")})
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no tables", limitsDoc)
	}
	return rows
}

func readDoc(t *testing.T) string {
	t.Helper()
	return string(read(t, limitsDoc))
}

// loadWith returns a configuration with one app, and what the variables say.
func loadWith(t *testing.T, variables ...string) *config.Config {
	t.Helper()
	c, err := config.Load(config.Sources{
		Environ: append(variables, "REVERB_APP_ID=1", "REVERB_APP_KEY=key", "REVERB_APP_SECRET=secret"), Laravel: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantLimit(t *testing.T, row documentedLimit) {
	t.Helper()
	s := loadWith(t).Setting(row.setting)
	if s.Name == "" {
		t.Fatalf("there is no setting %s", row.setting)
	}
	if got := fmt.Sprint(s.Value); got != row.def {
		t.Errorf("the default is %s, and %s in the documentation", got, row.def)
	}
	if row.variable == "" {
		return
	}
	value := "7"
	if _, isBool := s.Value.(bool); isBool {
		value = "true"
	}
	if got := loadWith(t, row.variable+"="+value).Setting(row.setting).Source; got != "environment "+row.variable {
		t.Errorf("with %s=%s it comes from %s", row.variable, value, got)
	}
}

// TestLimitsDocSeries looks for the series of the documentation in the metrics.
func TestLimitsDocSeries(t *testing.T) {
	series := exportedSeries(t)
	found := regexp.MustCompile("`(reverb_\\w+(?:\\{[^}]*\\})?)`").FindAllStringSubmatch(readDoc(t), -1)
	if len(found) == 0 {
		t.Fatalf("%s has no series", limitsDoc)
	}
	for _, m := range found {
		if !slices.Contains(series, m[1]) {
			t.Errorf("%s is not exported", m[1])
		}
	}
	for _, s := range series {
		// Every reason is named, as a part of a series or alone.
		_, reason, ok := strings.Cut(s, `_refused_total{reason="`)
		reason = strings.TrimSuffix(reason, `"}`)
		if ok && !strings.Contains(readDoc(t), "`"+s+"`") && !strings.Contains(readDoc(t), "`"+reason+"`") {
			t.Errorf("the reason of %s is not in %s", s, limitsDoc)
		}
	}
}

// exportedSeries returns what a server exports that nobody has used yet: reasons and statuses are there from the start.
func exportedSeries(t *testing.T) (series []string) {
	t.Helper()
	registry := prometheus.NewRegistry()
	metrics.NewWebhooks(registry)
	metrics.NewCluster(registry)
	apps, err := auth.NewApps()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Apps: apps, Metrics: metrics.New(registry)}, scaling.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Shutdown(context.Background())
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		name, _, _ := strings.Cut(line, " ")
		series = append(series, name)
	}
	return series
}
