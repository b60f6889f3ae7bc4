package services

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Program starts a program of ours in the folder dir and returns once it answers GET /up at addr. The caller stops it,
// which kills it, and may then start another one in its place.
func Program(dir, addr string, env []string, path string, args ...string) (*Server, error) {
	own, err := os.MkdirTemp("", "services-")
	if err != nil {
		return nil, err
	}
	return program{
		dir: own, workDir: dir, addr: addr, isReady: answersUp(addr), path: path, args: args,
		env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...),
	}.start()
}

func answersUp(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/up", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("GET /up: %s", response.Status)
		}
		return nil
	}
}

// Find returns the path of the first of the programs that is installed.
func Find(t testing.TB, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	missing(t, strings.Join(programs, " or "))
	return ""
}
