//go:build linux

package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHandoverFails has a new program on disk that is of no use, in one way after the other. Each time the old one must go on
// as if nothing had been, and say why.
func TestHandoverFails(t *testing.T) {
	tests := []struct {
		name    string
		program string // a script, or how pretendHeir is to behave
		want    string
		env     []string
	}{
		{name: "no program", program: "", want: "cannot be started"},
		{name: "ends at once", program: "#!/bin/sh\necho no good >&2; exit 3\n", want: "ended before it had taken over (exit status 3)"},
		{name: "never begins", program: "#!/bin/sh\nexec sleep 600\n", want: "did not get on in time", env: []string{"REVERB_GO_RESTART_TIMEOUT=2s"}},
		{name: "other version", program: "other version", want: "the new program, 9.9, cannot take over from this one"},
		{name: "dies in the middle", program: "dies", want: "ended before it had taken over (exit status 7)"},
		{name: "hangs in the middle", program: "hangs", want: "did not get on in time"},
		{name: "miscounts in the end", program: "miscounts", want: "the new process has taken "},
		{name: "refuses in the middle", program: "refuses", want: "the new process says: it does not want to\nhint: ask it nicely"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			failHandover(t, tt.program, tt.want, tt.env...)
		})
	}
}

// failHandover restarts a server under load with a program that is of no use, and then with one that is.
func failHandover(t *testing.T, program, want string, env ...string) {
	srv := startHandoverServers(t, 1, env...)[0]
	a := newAudience(t, []*loadServer{srv})
	a.join()
	watchDoor := a.openDoor()
	stop := a.perform()
	a.waitForMore()

	command := linkSelf(t)
	replaceProgram(t, srv.binary, program)
	out, err := srv.order(t, command, "restart")
	if err == nil || !strings.Contains(out, want) {
		t.Errorf("restart: %v %s, want an error with %q", err, out, want)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(srv.binary), "serves")); err == nil {
		t.Error("the new process served before it was ended")
	}
	a.waitForMore()
	replaceProgram(t, srv.binary, "good")
	if out, err := srv.order(t, command, "restart"); err != nil {
		t.Errorf("restart after all: %v %s", err, out)
	}
	a.waitForMore()
	stop()
	watchDoor()
	a.check()
	if t.Failed() {
		t.Logf("the server said:\n%s", srv.output.String())
	}
}

// replaceProgram puts another one in the place of a program that runs.
func replaceProgram(t *testing.T, path, program string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "reverb-go")
	pretends := filepath.Join(filepath.Dir(path), "pretend")
	var err error
	switch {
	case program == "":
		err = os.Remove(path)
	case strings.HasPrefix(program, "#!"):
		err = errors.Join(os.WriteFile(file, []byte(program), 0o755), os.Rename(file, path))
	case program == "good":
		err = os.Rename(linkSelf(t), path)
		os.Remove(pretends)
	default:
		err = os.WriteFile(pretends, []byte(program), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
