package laravel

import "strings"

// Env is what a .env file defines, by name.
type Env map[string]Var

// Var is one variable of a .env file.
type Var struct {
	Value string
	Line  int // 1 is the first
}

// ParseEnv reads a .env file by the rules of phpdotenv, which Laravel uses:
//
//	export NAME=value        "export" is optional, white space around = is dropped
//	NAME=value # comment     an unquoted value ends at the first # or white space
//	NAME='as ${IT} is'       nothing is special between single quotes
//	NAME="a\tb ${OTHER}"     escapes \" \\ \$ \f \n \r \t \v; may go over several lines
//	NAME=${OTHER}/x          ${OTHER} is expanded, $OTHER is not
//	NAME                     forgets what earlier lines said about NAME
//
// ${OTHER} is what lookup (the real environment) says of OTHER, else what an earlier line said, else
// stays as it stands. Of two lines for one name the last counts. Whatever else phpdotenv refuses is
// refused here.
//
// Of the Go libraries, joho/godotenv and those made from it do not keep these rules: they expand $OTHER as
// well (a secret like pa$word loses its end), replace unknown variables by nothing, and never ask the
// real environment; see TestParseEnvWhereLibrariesDiffer.
func ParseEnv(text string, lookup func(name string) (string, bool)) (Env, error) {
	text = strings.TrimPrefix(text, "\uFEFF")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	p := envParser{rest: text, line: 1, env: Env{}, lookup: lookup}
	for p.rest != "" {
		if err := p.entry(); err != nil {
			return nil, err
		}
	}
	return p.env, nil
}

// EnvValue converts the text of an environment variable as Laravel's env() does. It returns nil, a
// bool or a string.
func EnvValue(s string) any {
	switch strings.ToLower(s) {
	case "true", "(true)":
		return true
	case "false", "(false)":
		return false
	case "empty", "(empty)":
		return ""
	case "null", "(null)":
		return nil
	}
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

type envParser struct {
	rest   string
	line   int // of the start of rest
	env    Env
	lookup func(string) (string, bool)
}

const envSpace = " \t\v\f\x00"

// entry reads one line, or several if a double-quoted value goes on.
func (p *envParser) entry() error {
	line, _, _ := strings.Cut(p.rest, "\n")
	trimmed := strings.Trim(line, envSpace)
	if trimmed == "" || trimmed[0] == '#' {
		p.advance(len(line) + 1)
		return nil
	}
	left, _, assigned := strings.Cut(line, "=")
	name, ok := envName(left)
	if !ok {
		return p.fault("this is no variable name", `write NAME=value, with letters, digits, "_" and "." in the name, or start the line with # to make it a comment`)
	}
	if !assigned {
		delete(p.env, name)
		p.advance(len(line) + 1)
		return nil
	}
	at := p.line
	p.advance(len(left) + 1)
	p.skip(envSpace)
	value, err := p.value(name)
	if err != nil {
		return err
	}
	p.env[name] = Var{Value: value, Line: at}
	return p.end(name)
}

// envName takes "export" and quotes off a name and reports whether it is one.
func envName(s string) (string, bool) {
	s = strings.Trim(s, envSpace)
	if after, ok := strings.CutPrefix(s, "export"); ok && after != "" && strings.ContainsRune(envSpace, rune(after[0])) {
		s = strings.TrimLeft(after, envSpace)
	}
	if n := len(s); n >= 3 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		s = s[1 : n-1]
	}
	return s, s != "" && nameLen(s) == len(s)
}

// nameLen returns how many bytes at the start of s may stand in a name.
func nameLen(s string) int {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.') {
			return i
		}
	}
	return len(s)
}

func (p *envParser) value(name string) (string, error) {
	switch {
	case strings.HasPrefix(p.rest, "'"):
		return p.singleQuoted(name)
	case strings.HasPrefix(p.rest, `"`):
		return p.doubleQuoted(name)
	}
	return p.unquoted(), nil
}

func (p *envParser) singleQuoted(name string) (string, error) {
	line, _, _ := strings.Cut(p.rest[1:], "\n")
	value, _, closed := strings.Cut(line, "'")
	if !closed {
		return "", p.fault("the value of "+name+" has no closing single quote", `only values in double quotes may go over several lines`)
	}
	p.advance(len(value) + 2)
	return value, nil
}

func (p *envParser) doubleQuoted(name string) (string, error) {
	start := p.line
	p.advance(1)
	var b strings.Builder
	for p.rest != "" {
		switch p.rest[0] {
		case '"':
			p.advance(1)
			return b.String(), nil
		case '$':
			b.WriteString(p.expand())
		case '\\':
			c, ok := p.escape()
			if !ok {
				return "", p.fault("the value of "+name+" has an unknown escape", `write \\ for a backslash in double quotes, or use single quotes`)
			}
			b.WriteByte(c)
		default:
			b.WriteByte(p.rest[0])
			p.advance(1)
		}
	}
	p.line = start
	return "", p.fault("the value of "+name+" has no closing double quote", `end the value with ", and write \" for a quote within it`)
}

func (p *envParser) escape() (byte, bool) {
	const letters, means = `"\$fnrtv`, "\"\\$\f\n\r\t\v"
	if len(p.rest) < 2 {
		return 0, false
	}
	i := strings.IndexByte(letters, p.rest[1])
	if i < 0 {
		return 0, false
	}
	p.advance(2)
	return means[i], true
}

func (p *envParser) unquoted() string {
	var b strings.Builder
	for p.rest != "" && !strings.ContainsRune("#\n"+envSpace, rune(p.rest[0])) {
		if p.rest[0] == '$' {
			b.WriteString(p.expand())
			continue
		}
		b.WriteByte(p.rest[0])
		p.advance(1)
	}
	return b.String()
}

// expand consumes ${NAME} and returns its value, or consumes and returns the dollar sign. What a
// variable holds is not expanded again.
func (p *envParser) expand() string {
	if after, ok := strings.CutPrefix(p.rest, "${"); ok {
		n := nameLen(after)
		if n > 0 && strings.HasPrefix(after[n:], "}") {
			if value, ok := p.known(after[:n]); ok {
				p.advance(n + 3)
				return value
			}
		}
	}
	p.advance(1)
	return "$"
}

func (p *envParser) known(name string) (string, bool) {
	if value, ok := p.lookup(name); ok {
		return value, true
	}
	v, ok := p.env[name]
	return v.Value, ok
}

// end reads what may follow a value on its line: white space and a comment.
func (p *envParser) end(name string) error {
	p.skip(envSpace)
	rest, _, _ := strings.Cut(p.rest, "\n")
	if rest != "" && rest[0] != '#' {
		return p.fault("the value of "+name+" goes on after white space or a closing quote", "put the whole value in double quotes")
	}
	p.advance(len(rest) + 1)
	return nil
}

func (p *envParser) skip(cutset string) {
	p.advance(len(p.rest) - len(strings.TrimLeft(p.rest, cutset)))
}

// advance consumes n bytes, or what is left.
func (p *envParser) advance(n int) {
	n = min(n, len(p.rest))
	p.line += strings.Count(p.rest[:n], "\n")
	p.rest = p.rest[n:]
}

func (p *envParser) fault(problem, hint string) error {
	return &SyntaxError{Line: p.line, Problem: problem, Hint: hint}
}
