package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestDebianVersion(t *testing.T) {
	when := time.Date(2026, 11, 26, 3, 59, 50, 0, time.UTC)
	for _, tt := range []struct{ described, want string }{
		{"v1.2.3", "1.2.3"},
		{"v1.2.3-dirty", "1.2.3+dirty"},
		{"v1.2.3-rc.1", "1.2.3~rc.1"},
		{"v1.2.3-5-gabcdef0", "1.2.3+5.gabcdef0"},
		{"v1.2.3-rc.1-5-gabcdef0-dirty", "1.2.3~rc.1+5.gabcdef0+dirty"},
		{"0497e16", "0.0.0~20261126035950.0497e16"},
		{"0497e16-dirty", "0.0.0~20261126035950.0497e16.dirty"},
		{"", "0.0.0~20261126035950"},
	} {
		r := release{version: tt.described, when: when}
		if got := r.debianVersion(); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.described, got, tt.want)
		}
	}
}

func TestSourceDateEpoch(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	r, err := newRelease(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.when.Unix(), int64(86400); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, err := newRelease(t.TempDir()); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("got %v", err)
	}
}

func TestUnit(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	text, err := unit(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nUser=reverb-go\n", "\nExecStart=/usr/bin/reverb-go start --config=/etc/reverb-go/reverb.yaml\n", "\nWorkingDirectory=/var/lib/reverb-go\n",
		"\nReadWritePaths=/var/lib/reverb-go\n", "\nCapabilityBoundingSet=\n", "\nProtectSystem=strict\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), dir) {
		t.Errorf("a path of this machine is in:\n%s", text)
	}
}
