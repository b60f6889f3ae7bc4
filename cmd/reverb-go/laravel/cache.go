package laravel

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxDepth is how deep arrays may nest; Laravel's own go six deep.
const maxDepth = 100

// ParseConfigCache reads bootstrap/cache/config.php: "<?php return", one value as PHP's var_export
// writes it, ";". An object is read as the array of its properties and an enum case as its name, since
// neither has a meaning for Reverb.
func ParseConfigCache(src []byte) (Value, error) {
	p := phpParser{src: src, line: 1}
	if !p.take("<?php") {
		return Value{}, p.fault("the file does not start with <?php")
	}
	if !p.takeWord("return") {
		return Value{}, p.fault(`"return" is missing`)
	}
	v, err := p.value()
	if err != nil {
		return Value{}, err
	}
	if !p.take(";") {
		return Value{}, p.fault("there is code after the value")
	}
	p.take("?>")
	if p.space(); p.pos < len(p.src) {
		return Value{}, p.fault("there is code after the value")
	}
	return v, nil
}

// phpParser is a recursive descent over src. Its take methods skip white space and comments first.
type phpParser struct {
	src   []byte
	pos   int
	depth int

	line    int // of src[counted]
	counted int
}

// value reads one value; a string may be glued together of several, as var_export does around NUL bytes.
func (p *phpParser) value() (Value, error) {
	p.space()
	line := p.lineNow()
	v, err := p.literal()
	for err == nil {
		s, ok := v.(string)
		if !ok || !p.take(".") {
			break
		}
		p.space()
		if v, err = p.literal(); err == nil {
			more, ok := v.(string)
			if !ok {
				err = p.fault("only strings can be joined")
			}
			v = s + more
		}
	}
	return Value{V: v, Line: line}, err
}

func (p *phpParser) literal() (any, error) {
	switch c := p.peek(); {
	case c == '\'':
		return p.singleQuoted()
	case c == '"':
		return p.doubleQuoted()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == '[':
		p.pos++
		return p.array("]")
	case c == '(':
		return p.object()
	case c == '\\' || isNameByte(c):
		return p.named()
	}
	return nil, p.fault("a value is missing")
}

// object reads "(object) array(…)".
func (p *phpParser) object() (any, error) {
	if !p.take("(") || !p.takeWord("object") || !p.take(")") || !p.takeWord("array") || !p.take("(") {
		return nil, p.fault("this is no value")
	}
	return p.array(")")
}

// named reads what starts with a name: true, array(…), \A\Class::__set_state(…), \An\Enum::Case.
func (p *phpParser) named() (any, error) {
	name := p.name()
	switch strings.ToLower(name) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	case "nan":
		return math.NaN(), nil
	case "inf":
		return math.Inf(1), nil
	case "array":
		if p.take("(") {
			return p.array(")")
		}
	}
	if !p.take("::") {
		return nil, p.fault("this is no value")
	}
	p.space()
	member := p.name()
	if member != "__set_state" {
		return name + "::" + member, nil
	}
	return p.state()
}

// state reads the "(array(…))" of __set_state.
func (p *phpParser) state() (any, error) {
	if !p.take("(") || !p.takeWord("array") || !p.take("(") {
		return nil, p.fault("an object has no properties")
	}
	m, err := p.array(")")
	if err == nil && !p.take(")") {
		err = p.fault(`")" is missing`)
	}
	return m, err
}

// array reads the elements of an array, whose opening has been read, to its end.
func (p *phpParser) array(end string) (any, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fault(fmt.Sprintf("arrays nest more than %d deep", maxDepth))
	}
	defer func() { p.depth-- }()
	m := NewMap()
	for !p.take(end) {
		if err := p.element(m); err != nil {
			return nil, err
		}
		if !p.take(",") {
			if p.take(end) {
				break
			}
			return nil, p.fault(fmt.Sprintf(`"," or %q is missing`, end))
		}
	}
	return m, nil
}

func (p *phpParser) element(m *Map) error {
	v, err := p.value()
	if err != nil {
		return err
	}
	if !p.take("=>") {
		m.Set(strconv.FormatInt(m.next, 10), v)
		m.next++
		return nil
	}
	var key string
	switch k := v.V.(type) {
	case string:
		key = k
	case int64:
		key = strconv.FormatInt(k, 10)
		m.next = max(m.next, k+1)
	default:
		return p.fault("an array key is neither a string nor an integer")
	}
	v, err = p.value()
	m.Set(key, v)
	return err
}

func (p *phpParser) singleQuoted() (any, error) {
	var b strings.Builder
	for i := p.pos + 1; i < len(p.src); i++ {
		c := p.src[i]
		if c == '\'' {
			p.pos = i + 1
			return b.String(), nil
		}
		if c == '\\' && i+1 < len(p.src) && (p.src[i+1] == '\\' || p.src[i+1] == '\'') {
			i++
			c = p.src[i]
		}
		b.WriteByte(c)
	}
	return nil, p.fault("a string has no closing quote")
}

func (p *phpParser) doubleQuoted() (any, error) {
	var b strings.Builder
	for i := p.pos + 1; i < len(p.src); {
		switch c := p.src[i]; c {
		case '"':
			p.pos = i + 1
			return b.String(), nil
		case '\\':
			text, n := phpEscape(p.src[i:])
			b.WriteString(text)
			i += n
		case '$':
			return nil, p.fault("a string contains a variable")
		default:
			b.WriteByte(c)
			i++
		}
	}
	return nil, p.fault("a string has no closing quote")
}

// phpEscape returns what the escape at the start of s stands for and its length. As in PHP, a backslash
// before anything else is a backslash.
func phpEscape(s []byte) (string, int) {
	const letters, means = `"\$nrtvef`, "\"\\$\n\r\t\v\x1b\f"
	if len(s) < 2 {
		return `\`, 1
	}
	if i := strings.IndexByte(letters, s[1]); i >= 0 {
		return means[i : i+1], 2
	}
	if digits := s[1:min(4, len(s))]; s[1] >= '0' && s[1] <= '7' {
		n := leading(digits, "01234567")
		code, _ := strconv.ParseUint(string(digits[:n]), 8, 16)
		return string([]byte{byte(code)}), 1 + n
	}
	if s[1] == 'x' {
		digits := s[2:min(4, len(s))]
		if n := leading(digits, "0123456789abcdefABCDEF"); n > 0 {
			code, _ := strconv.ParseUint(string(digits[:n]), 16, 8)
			return string([]byte{byte(code)}), 2 + n
		}
	}
	return `\`, 1
}

// leading returns how many bytes at the start of s are in set.
func leading(s []byte, set string) int {
	return len(s) - len(bytes.TrimLeft(s, set))
}

// number reads an integer, a float, -INF, and the smallest integer, which var_export has to write as
// "-9223372036854775807-1". An integer too large for PHP is a float there too.
func (p *phpParser) number() (any, error) {
	start := p.pos
	if p.src[p.pos] == '-' {
		p.pos++
		if p.takeWord("INF") {
			return math.Inf(-1), nil
		}
	}
	p.pos += leading(p.src[p.pos:], "0123456789.")
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		p.pos += leading(p.src[p.pos:], "+-")
		p.pos += leading(p.src[p.pos:], "0123456789")
	}
	text := string(p.src[start:p.pos])
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n == math.MinInt64+1 && p.take("-1") {
			n--
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, p.fault("this is no number")
	}
	return f, nil
}

// take skips white space and comments, then consumes token if it is next.
func (p *phpParser) take(token string) bool {
	p.space()
	if !bytes.HasPrefix(p.src[p.pos:], []byte(token)) {
		return false
	}
	p.pos += len(token)
	return true
}

// takeWord is take for a word, which has no case in PHP.
func (p *phpParser) takeWord(word string) bool {
	p.space()
	start := p.pos
	if strings.EqualFold(p.name(), word) {
		return true
	}
	p.pos = start
	return false
}

// name consumes a possibly qualified name, or nothing.
func (p *phpParser) name() string {
	start := p.pos
	for p.pos < len(p.src) && (p.src[p.pos] == '\\' || isNameByte(p.src[p.pos])) {
		p.pos++
	}
	return string(p.src[start:p.pos])
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

// peek returns the next byte, or 0 at the end.
func (p *phpParser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

// space skips white space and comments.
func (p *phpParser) space() {
	for {
		p.pos += leading(p.src[p.pos:], " \t\r\n")
		rest := p.src[p.pos:]
		end := "\n"
		switch {
		case bytes.HasPrefix(rest, []byte("/*")):
			p.pos += 2
			rest, end = rest[2:], "*/"
		case bytes.HasPrefix(rest, []byte("//")), bytes.HasPrefix(rest, []byte("#")):
		default:
			return
		}
		n := bytes.Index(rest, []byte(end))
		if n < 0 {
			p.pos = len(p.src)
			return
		}
		p.pos += n + len(end)
	}
}

func (p *phpParser) lineNow() int {
	p.line += bytes.Count(p.src[p.counted:p.pos], []byte("\n"))
	p.counted = p.pos
	return p.line
}

func (p *phpParser) fault(problem string) error {
	return &SyntaxError{
		Line:    p.lineNow(),
		Problem: problem,
		Hint:    `run "php artisan config:cache" again, or "php artisan config:clear" to have .env read instead`,
	}
}
