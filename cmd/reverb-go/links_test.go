package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

const repository = "../.."

// A page is a Markdown file: where its links lead, and what they can lead to.
type page struct {
	links   []string // "file#anchor", as written
	anchors map[string]bool
}

var (
	linkText    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingText = regexp.MustCompile(`^#+ +(.*)`)
	codeText    = regexp.MustCompile("`[^`]*`")
	linkedText  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

func readPage(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	p := page{anchors: make(map[string]bool)}
	isCode := false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			isCode = !isCode
		}
		if isCode {
			continue
		}
		if m := headingText.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			p.addAnchor(m[1])
		}
		for _, m := range linkText.FindAllStringSubmatch(codeText.ReplaceAllString(line, ""), -1) {
			p.links = append(p.links, m[1])
		}
	}
	return p
}

// addAnchor makes an anchor of a heading as GitHub does.
func (p *page) addAnchor(heading string) {
	heading = linkedText.ReplaceAllString(heading, "$1")
	slug := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	unique := slug
	for i := 1; p.anchors[unique]; i++ {
		unique = fmt.Sprint(slug, "-", i)
	}
	p.anchors[unique] = true
}

// TestLinks follows the links of all pages: what they lead to exists, and from the README one comes to every page.
func TestLinks(t *testing.T) {
	pages := make(map[string]page)
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, _ := filepath.Rel(repository, file) // both are relative
			pages[filepath.ToSlash(name)] = readPage(t, name)
		}
	}
	reached := map[string]bool{"README.md": true, "ARCHITECTURE.md": true} // everybody looks for these two
	for todo := []string{"README.md"}; len(todo) > 0; todo = todo[1:] {
		for _, target := range linkedPages(t, todo[0], pages) {
			if !reached[target] {
				reached[target] = true
				todo = append(todo, target)
			}
		}
	}
	for name := range pages {
		if !reached[name] {
			t.Errorf("%s is linked from nowhere", name)
			linkedPages(t, name, pages)
		}
	}
	linkedPages(t, "ARCHITECTURE.md", pages)
}

// linkedPages checks the links of a page, and returns the pages they lead to.
func linkedPages(t *testing.T, name string, pages map[string]page) (targets []string) {
	t.Helper()
	for _, link := range pages[name].links {
		if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
			continue
		}
		file, anchor, hasAnchor := strings.Cut(link, "#")
		target := name
		if file != "" {
			target = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
		}
		if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
			t.Errorf("%s: the link %s leads nowhere", name, link)
			continue
		}
		p, isPage := pages[target]
		if hasAnchor && !p.anchors[anchor] {
			t.Errorf("%s: %s has no heading #%s", name, target, anchor)
		}
		if isPage {
			targets = append(targets, target)
		}
	}
	return targets
}
