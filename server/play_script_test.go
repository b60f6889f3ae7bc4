package server_test

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// A script is a conversation as it is written down.
type script struct {
	file  string
	lines []line
	files map[string][]byte
	vars  map[string]string
}

// A line is one thing said or heard, or a stage direction that nobody speaks.
type line struct {
	number  int
	comment string   // the sentences above it
	who     string   // "" for a stage direction
	heard   bool     // < rather than >
	notes   []string // what stands in parentheses before the text
	text    string
	whole   string // notes and text as they are written
}

func readScript(t *testing.T, file string) *script {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{file: file, files: make(map[string][]byte), vars: make(map[string]string)}
	for _, f := range archive.Files {
		s.files[f.Name] = f.Data
	}
	if err := s.parse(string(archive.Comment)); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *script) parse(text string) error {
	comment, fresh := "", true
	for i, raw := range strings.Split(text, "\n") {
		raw = strings.TrimRight(raw, " ")
		if sentence, ok := strings.CutPrefix(raw, "#"); ok {
			if fresh {
				comment = ""
			}
			comment, fresh = strings.TrimSpace(comment+sentence), false
			continue
		}
		fresh = true
		if raw == "" {
			continue
		}
		l, err := parseLine(raw)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.file, i+1, err)
		}
		l.number, l.comment = i+1, comment
		s.lines = append(s.lines, l)
	}
	return s.parseVars()
}

var speech = regexp.MustCompile(`^([a-z][a-z0-9]*)?([<>])(?: (.*))?$`)

func parseLine(raw string) (line, error) {
	l := line{whole: raw}
	if m := speech.FindStringSubmatch(raw); m != nil {
		l.who, l.heard, l.whole = cmp.Or(m[1], "a"), m[2] == "<", m[3]
	} else if !strings.HasPrefix(raw, "(") {
		return l, fmt.Errorf("%q is neither said, nor heard, nor a stage direction in parentheses", raw)
	}
	l.text = l.whole
	for strings.HasPrefix(l.text, "(") {
		end := closing(l.text)
		if end < 0 {
			return l, fmt.Errorf("no closing parenthesis in %q", raw)
		}
		l.notes = append(l.notes, l.text[1:end])
		l.text = strings.TrimPrefix(l.text[end+1:], " ")
	}
	return l, nil
}

// closing returns the index of the parenthesis that closes the first one, or -1.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// parseVars reads the file named vars: on each line a name and, after a space, its value.
func (s *script) parseVars() error {
	for _, l := range strings.Split(string(s.files["vars"]), "\n") {
		if l == "" {
			continue
		}
		name, value, ok := strings.Cut(l, " ")
		if !ok {
			return fmt.Errorf("%s: the var %q has no value", s.file, l)
		}
		s.vars[name] = value
	}
	return nil
}

// needsOwnServer says why the script cannot be played against a server that is not ours, if so.
func (s *script) needsOwnServer() string {
	if s.files["apps.json"] != nil {
		return "brings its own apps"
	}
	if s.files["server.json"] != nil {
		return "brings its own settings"
	}
	for _, l := range s.lines {
		if l.who != "" || len(l.notes) == 0 {
			continue
		}
		if _, ok := strings.CutSuffix(l.notes[0], " pass"); ok {
			return "lets time pass"
		}
		if l.notes[0] == "the server shuts down" {
			return "shuts the server down"
		}
	}
	return ""
}

// times reads the note "100 times" and returns 1 when there is none, and the other notes.
func (l line) times() (n int, others []string) {
	n = 1
	for _, note := range l.notes {
		if count, ok := strings.CutSuffix(note, " times"); ok {
			if i, err := strconv.Atoi(count); err == nil {
				n = i
				continue
			}
		}
		others = append(others, note)
	}
	return n, others
}
