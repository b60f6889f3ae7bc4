package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A release is what is built from one commit.
type release struct {
	root    string    // of the repository
	out     string    // where files are written; absolute
	version string    // as git describes the commit; "" without git
	commit  string    // "" without git
	when    time.Time // that of the commit, which all files get
}

// newRelease describes the repository of the working folder.
func newRelease(out string) (*release, error) {
	r := &release{when: time.Unix(0, 0)}
	var err error
	if r.out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	mod, err := output("", nil, "go", "env", "GOMOD")
	if err != nil {
		return nil, err
	}
	r.root = filepath.Dir(mod)
	if r.commit, err = output(r.root, nil, "git", "rev-parse", "HEAD"); err == nil {
		if r.version, err = output(r.root, nil, "git", "describe", "--tags", "--always", "--dirty"); err != nil {
			return nil, err
		}
		if r.when, err = commitTime(r.root); err != nil {
			return nil, err
		}
	}
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		if r.when, err = parseEpoch(text); err != nil {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
	}
	return r, os.MkdirAll(r.out, 0o755)
}

func commitTime(root string) (time.Time, error) {
	text, err := output(root, nil, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return time.Time{}, err
	}
	return parseEpoch(text)
}

func parseEpoch(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err
}

var describedVersion = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.]*[A-Za-z][0-9A-Za-z.]*))??(?:-(\d+)-(g[0-9a-f]+))?(-dirty)?$`)

// debianVersion is the version in Debian's spelling and order: a candidate comes before its release, and
// commits after a tag come after it. Without a tag the time makes the order, before that of any release.
func (r *release) debianVersion() string {
	m := describedVersion.FindStringSubmatch(r.version)
	if m == nil {
		version := "0.0.0~" + r.when.UTC().Format("20060102150405")
		if r.version != "" {
			version += "." + strings.ReplaceAll(r.version, "-", ".")
		}
		return version
	}
	version := m[1]
	if m[2] != "" {
		version += "~" + m[2]
	}
	if m[3] != "" {
		version += "+" + m[3] + "." + m[4]
	}
	if m[5] != "" {
		version += "+dirty"
	}
	return version
}

// compile builds the binary for a system. What the machine would add from its environment is kept out.
func (r *release) compile(binary, system, arch string) error {
	env := []string{
		"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + arch, "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off",
	}
	args := []string{
		"build", "-trimpath", fmt.Sprintf("-buildvcs=%t", r.commit != ""),
		"-ldflags", "-s -w -X main.version=" + r.version, "-o", binary, "./cmd/reverb-go",
	}
	_, err := output(r.root, env, "go", args...)
	return err
}

// output runs a program with more environment, and returns what it prints. What it complains of is the error.
func output(dir string, env []string, program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, bytes.TrimSpace(complaint.Bytes()))
	}
	return strings.TrimSpace(string(text)), nil
}
