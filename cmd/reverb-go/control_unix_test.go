//go:build unix

package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestControlSocketIsPrivate: whoever can write to the socket can reload the server.
func TestControlSocketIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "8080.sock")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenUnix(path, 0o600); err == nil {
		t.Error("the socket of a server that runs was taken away")
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	ln, err := listenUnix(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o600); got != want {
		t.Errorf("got mode %o, want %o", got, want)
	}
}

// TestControlFolderIsPrivate: others could put their socket into the folder, and take orders that are for the server.
func TestControlFolderIsPrivate(t *testing.T) {
	dir := t.TempDir()
	made := filepath.Join(dir, "made")
	if err := ensurePrivate(made); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(made)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o700); got != want {
		t.Errorf("got mode %o, want %o", got, want)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(made, link); err != nil {
		t.Fatal(err)
	}
	if ensurePrivate(link) == nil {
		t.Error("a link is taken for a folder of ours")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if ensurePrivate(file) == nil {
		t.Error("a file is taken for a folder")
	}
	if os.Getuid() != 0 {
		return // only root can give a folder away
	}
	if err := os.Chown(made, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if ensurePrivate(made) == nil {
		t.Error("a folder of somebody else is used")
	}
}
