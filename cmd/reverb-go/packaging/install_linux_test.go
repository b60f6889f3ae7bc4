package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// hostDir is where hostFiles are.
var hostDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "reverb-go-dist-")
	if err != nil {
		panic(err)
	}
	hostDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// hostFiles builds the binary and the package for this machine, once.
var hostFiles = sync.OnceValues(func() (built struct{ binary, deb, version string }, err error) {
	r, err := newRelease(hostDir)
	if err != nil {
		return built, err
	}
	names, err := r.build("linux/" + runtime.GOARCH)
	if err == nil {
		built.binary, built.deb, built.version = names[0], names[1], r.version
	}
	return built, err
})

// An installation is a package on this machine, or below a folder of the test.
type installation struct {
	root string              // "/", or the folder
	user *syscall.Credential // whom the service runs as; nil is whoever runs the test
}

// TestInstall installs the package as an administrator does, runs what it has put there, and removes it again. Without root the
// files are only unpacked.
func TestInstall(t *testing.T) {
	built, err := hostFiles()
	if err != nil {
		t.Fatal(err)
	}
	wantProgram(t, "dpkg-deb")
	in := unpack(t, built.deb)
	if os.Getuid() == 0 && isFree(t) {
		in = install(t, built.deb)
	}
	program := filepath.Join(in.root, installedProgram)
	t.Run("version", func(t *testing.T) {
		got := command(t, program, "version")
		for _, want := range []string{"reverb-go ", built.version, runtime.Version()} {
			if !strings.Contains(got, want) {
				t.Errorf("got %q, want %q in it", got, want)
			}
		}
	})
	t.Run("start", func(t *testing.T) {
		addr := services.FreeAddr()
		host, port, _ := strings.Cut(addr, ":")
		cmd := exec.Command(program, "start", "--config="+filepath.Join(in.root, installedConfig), "--host="+host, "--port="+port)
		cmd.Dir = filepath.Join(in.root, installedState)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: in.user}
		serve(t, cmd)
		wantUp(t, addr)
	})
	t.Run("unit", func(t *testing.T) {
		wantProgram(t, "systemd-analyze")
		if in.root != "/" {
			t.Skip("systemd-analyze verifies installed units only")
		}
		if got := command(t, "systemd-analyze", "verify", "reverb-go.service"); strings.Contains(got, "reverb-go") {
			t.Errorf("systemd-analyze complains:\n%s", got)
		}
		// Of 10 points, of which more are worse; most units have over 9.
		command(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", "/usr/lib/systemd/system/reverb-go.service")
	})
}

// isFree reports whether the package can be installed without taking the place of another one.
func isFree(t *testing.T) bool {
	t.Helper()
	for _, name := range []string{installedProgram, filepath.Dir(installedConfig), installedState} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Logf("%s exists, so nothing is installed", name)
			return false
		}
	}
	_, err := user.Lookup(serviceUser)
	return err != nil
}

func unpack(t *testing.T, deb string) installation {
	t.Helper()
	root := t.TempDir()
	command(t, "dpkg-deb", "-x", deb, root)
	return installation{root: root}
}

// install installs the package until the end of the test, which checks that nothing is left of it.
func install(t *testing.T, deb string) installation {
	t.Helper()
	t.Cleanup(func() {
		dpkg(t, "--purge", "reverb-go")
		if !t.Failed() && !isFree(t) {
			t.Error("purging has left something behind")
		}
	})
	dpkg(t, "--install", deb)
	u, err := user.Lookup(serviceUser)
	if err != nil {
		t.Fatal(err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, uint32(uid), uint32(gid))
	return installation{"/", &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// wantPrivate holds the configuration to being the administrator's to write, the service's to read and nobody else's.
func wantPrivate(t *testing.T, uid, gid uint32) {
	t.Helper()
	for _, tt := range []struct {
		name     string
		mode     fs.FileMode
		uid, gid uint32
	}{
		{installedConfig, 0o640, 0, gid},
		{filepath.Dir(installedConfig), 0o750, 0, gid},
		{installedState, 0o750, uid, gid},
	} {
		info, err := os.Stat(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		owner := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm() != tt.mode || owner.Uid != tt.uid || owner.Gid != tt.gid {
			t.Errorf("%s: got mode %o of %d:%d, want %o of %d:%d", tt.name, info.Mode().Perm(), owner.Uid, owner.Gid, tt.mode, tt.uid, tt.gid)
		}
	}
}

// patience is how long tests wait for what must come.
const patience = 30 * time.Second

// dpkg runs dpkg, again while another program holds its lock.
func dpkg(t *testing.T, args ...string) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := exec.Command("dpkg", args...).CombinedOutput()
		if err == nil {
			return
		}
		if !bytes.Contains(text, []byte("lock")) {
			t.Fatalf("dpkg %q: %v\n%s", args, err, text)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("dpkg %q: %s", args, text)
		}
	}
}

// TestImage runs the server as the image of the Dockerfile does: as nobody, in a file system with nothing but the program.
func TestImage(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change the root folder")
	}
	built, err := hostFiles()
	if err != nil {
		t.Fatal(err)
	}
	addr := services.FreeAddr()
	image := readImage(t, addr)
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(built.binary, filepath.Join(root, image.entry[0])); err != nil {
		t.Fatal(err)
	}
	inside := func(args []string) *exec.Cmd {
		return &exec.Cmd{
			Path: args[0], Args: args, Dir: "/", Env: image.env,
			SysProcAttr: &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65534, Gid: 65534}},
		}
	}
	serve(t, inside(append(image.entry, image.args...)))
	wantUp(t, addr)
	if text, err := inside(image.health).CombinedOutput(); err != nil {
		t.Errorf("the health check says %v: %s", err, text)
	}
}

// An image is what the Dockerfile says of how its program runs.
type image struct{ entry, args, health, env []string }

// readImage reads the Dockerfile, with another address in place of the port.
func readImage(t *testing.T, addr string) image {
	t.Helper()
	_, port, _ := strings.Cut(addr, ":")
	raw, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "8080", port)
	words := func(instruction string) (list []string) {
		m := regexp.MustCompile(`(?m)^` + instruction + `.*?(\[.*\])$`).FindStringSubmatch(text)
		if m == nil || json.Unmarshal([]byte(m[1]), &list) != nil {
			t.Fatalf("the Dockerfile has no %s", instruction)
		}
		return list
	}
	env := regexp.MustCompile(`(?m)^ENV (.*)$`).FindStringSubmatch(text)
	if env == nil || !strings.Contains(text, "\nUSER 65534:65534\n") {
		t.Fatal("the Dockerfile has no ENV, or another USER")
	}
	app := []string{"REVERB_APP_ID=1", "REVERB_APP_KEY=key", "REVERB_APP_SECRET=secret"}
	return image{words("ENTRYPOINT"), words("CMD"), words("HEALTHCHECK"), append(strings.Fields(env[1]), app...)}
}

// serve starts a server that is told to end, and must do so well, at the end of the test.
func serve(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Log(text.String())
		}
	})
}

func wantUp(t *testing.T, addr string) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := http.Get("http://" + addr + "/up")
		if err == nil {
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if got, want := string(body), `{"health":"OK"}`; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, text)
	}
	return string(text)
}

func wantProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
}
