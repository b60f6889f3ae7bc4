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

// Program starts a program in the folder dir and returns once it answers GET with 200 at the URL health, or at once if
// health is "". The caller stops it, which kills it, and may then start another one in its place.
func Program(dir, health string, env []string, path string, args ...string) (*Server, error) {
	own, err := os.MkdirTemp("", "services-")
	if err != nil {
		return nil, err
	}
	return program{
		dir: own, workDir: dir, isReady: answers(health), path: path, args: args,
		env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...),
	}.start()
}

func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		if url == "" {
			return nil
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, response.Status)
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
