package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// targets are the systems that binaries are built for.
const targets = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("packaging", flag.ContinueOnError)
	out := flags.String("out", "dist", "The folder to write to")
	systems := flags.String("targets", targets, "Systems to build for; Linux gets a Debian package too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := newRelease(*out)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s of %s\n", r.version, r.when.UTC().Format("2006-01-02 15:04:05"))
	if info, err := os.Stat(filepath.Join(r.root, ".git")); r.commit != "" && (err != nil || !info.IsDir()) {
		fmt.Fprintln(stdout, "note: Go does not record the commit in a linked worktree, so these are not the bytes that a clone gives")
	}
	var files []string
	for target := range strings.SplitSeq(*systems, ",") {
		built, err := r.build(target)
		if err != nil {
			return err
		}
		files = append(files, built...)
	}
	sums, err := writeSums(r.out, files)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, sums)
	return err
}

// build makes the files for one system, and returns their names.
func (r *release) build(target string) ([]string, error) {
	system, arch, ok := strings.Cut(target, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no target; hint: write linux/amd64", target)
	}
	binary := filepath.Join(r.out, binaryName(system, arch))
	if err := r.compile(binary, system, arch); err != nil {
		return nil, err
	}
	if system != "linux" {
		return []string{binary}, nil
	}
	deb, err := r.pack(binary, arch)
	return []string{binary, deb}, err
}

func binaryName(system, arch string) string {
	name := "reverb-go-" + system + "-" + arch
	if system == "windows" {
		name += ".exe"
	}
	return name
}
