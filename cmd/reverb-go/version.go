package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version string

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit, and the Go version it was built with",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return printVersion(cmd.OutOrStdout()) },
	}
}

func printVersion(w io.Writer) error {
	info, _ := debug.ReadBuildInfo()
	_, err := fmt.Fprintln(w, describeBuild(version, info))
	return err
}

// describeBuild is one line about a build. info may be nil.
func describeBuild(version string, info *debug.BuildInfo) string {
	commit := ""
	if info != nil {
		if version == "" {
			version = info.Main.Version
		}
		commit = commitOf(info)
	}
	if version == "" {
		version = "(devel)"
	}
	return fmt.Sprintf("reverb-go %s%s, %s %s/%s", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func commitOf(info *debug.BuildInfo) string {
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return ""
	}
	changed := ""
	if settings["vcs.modified"] == "true" {
		changed = ", changed"
	}
	return fmt.Sprintf(" (commit %.12s of %s%s)", revision, settings["vcs.time"], changed)
}
