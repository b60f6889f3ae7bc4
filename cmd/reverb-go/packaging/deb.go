package main

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"text/template"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/setup"
)

//go:embed files
var files embed.FS

// Where the package puts things. The scripts in files name them again.
const (
	installedProgram = "/usr/bin/reverb-go"
	installedConfig  = "/etc/reverb-go/reverb.yaml"
	installedState   = "/var/lib/reverb-go"
	serviceUser      = "reverb-go"
)

// unit is the systemd unit of the package: what "reverb-go setup systemd" prints for its configuration. dir has the
// package's files, and nothing of this machine.
func unit(dir string) ([]byte, error) {
	cfg, err := config.Load(config.Sources{Laravel: dir, File: filepath.Join(dir, "files", filepath.Base(installedConfig))})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = setup.Write(&b, "systemd", setup.Site{
		Config: cfg, Program: installedProgram, Arguments: []string{"--config=" + installedConfig},
		Dir: installedState, File: installedConfig, User: serviceUser,
	})
	return b.Bytes(), err
}

// pack makes a Debian package of a binary, and returns its name.
func (r *release) pack(binary, arch string) (string, error) {
	dir, err := os.MkdirTemp("", "reverb-go-deb-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := r.prepare(dir, binary, arch); err != nil {
		return "", err
	}
	deb := filepath.Join(r.out, fmt.Sprintf("reverb-go_%s_%s.deb", r.debianVersion(), arch))
	// The tool runs on this machine, whatever the package is for.
	env := []string{"GOOS=", "GOARCH=", "GOFLAGS=", "SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.when.Unix(), 10)}
	_, err = output(r.root, env, "go", "tool", "-modfile=cmd/reverb-go/packaging/nfpm.mod", "nfpm",
		"package", "--config="+filepath.Join(dir, "nfpm.yaml"), "--packager=deb", "--target="+deb)
	return deb, err
}

// prepare writes what nfpm reads into dir.
func (r *release) prepare(dir, binary, arch string) error {
	if err := os.CopyFS(dir, files); err != nil {
		return err
	}
	service, err := unit(dir)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "reverb-go.service"), service, 0o644); err != nil {
		return err
	}
	about := struct{ Root, Dir, Binary, Arch, Version, Time string }{
		r.root, dir, binary, arch, r.debianVersion(), r.when.UTC().Format(time.RFC3339),
	}
	var b bytes.Buffer
	if err := template.Must(template.ParseFS(files, "files/nfpm.yaml")).Execute(&b, about); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "nfpm.yaml"), b.Bytes(), 0o644)
}
