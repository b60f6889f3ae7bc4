package main

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const securityDoc = "../../docs/security.md"

// TestSecurityDoc looks for the tests that the documentation names.
func TestSecurityDoc(t *testing.T) {
	exists := testsOfModule(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+|\\w+\\.txtar)`").FindAllStringSubmatch(string(read(t, securityDoc)), -1)
	if len(named) < 50 {
		t.Fatalf("%s names %d tests", securityDoc, len(named))
	}
	for _, m := range named {
		if !exists[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
}

// testsOfModule returns the names of test functions, and of scripts and conversations.
func testsOfModule(t *testing.T) map[string]bool {
	t.Helper()
	exists := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case strings.HasSuffix(name, ".txtar"):
			exists[d.Name()] = true
		case strings.HasSuffix(name, "_test.go"):
			for _, m := range function.FindAllStringSubmatch(string(read(t, name)), -1) {
				exists[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return exists
}
