package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestDescribeBuild(t *testing.T) {
	tail := ", " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	vcs := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}}
	tests := []struct {
		name, version string
		info          *debug.BuildInfo
		want          string
	}{
		{"without anything", "", nil, "reverb-go (devel)"},
		{"by the linker", "v1.2.3", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "reverb-go v1.2.3"},
		{"go install", "", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "reverb-go v1.2.3"},
		{"go build", "v1.2.3", &debug.BuildInfo{Settings: vcs}, "reverb-go v1.2.3 (commit 0123456789ab of 2026-01-02T03:04:05Z)"},
		{
			"with changes", "v1.2.3", &debug.BuildInfo{Settings: append(vcs, debug.BuildSetting{Key: "vcs.modified", Value: "true"})},
			"reverb-go v1.2.3 (commit 0123456789ab of 2026-01-02T03:04:05Z, changed)",
		},
	}
	for _, tt := range tests {
		if got := describeBuild(tt.version, tt.info); got != tt.want+tail {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want+tail)
		}
	}
}
