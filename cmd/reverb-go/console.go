package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/reverb-go/reverb-go/server"
)

// console is where start says what it does.
type console struct {
	stdout io.Writer
	log    *slog.Logger
	tracer server.Tracer // nil without --debug
}

func newConsole(cmd *cobra.Command) *console {
	if isSet(cmd, "quiet") || isSet(cmd, "silent") {
		return &console{stdout: io.Discard, log: slog.New(slog.DiscardHandler)}
	}
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if !isSet(cmd, "debug") {
		return &console{stdout: stdout, log: newLog(stderr, slog.LevelInfo)}
	}
	return &console{
		stdout: stdout,
		log:    newLog(stderr, slog.LevelDebug),
		tracer: &debugTracer{w: stdout, width: terminalWidth(stdout)},
	}
}

// newLog returns a logger for people on a terminal, and for programs elsewhere.
func newLog(w io.Writer, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

func (c *console) print(text string) { io.WriteString(c.stdout, text) }

// info prints a sentence as Laravel's info component does.
func (c *console) info(text string) {
	c.print("\n   INFO  " + text + "  \n\n")
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Laravel's output is as wide as the terminal, but not endlessly, and has a width where there is none.
const (
	usualWidth = 80
	maxWidth   = 150
)

func terminalWidth(w io.Writer) int {
	if !isTerminal(w) {
		return usualWidth
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil || width <= 0 {
		return usualWidth
	}
	return min(width, maxWidth)
}

// printable replaces what could take over a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
