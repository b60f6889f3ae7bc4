package setup

import (
	"encoding/json"
	"strings"
)

// quoteUnit writes a command line of a systemd unit.
func quoteUnit(words []string) string {
	return quoteWords(words, strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`))
}

// quoteSupervisor writes a command line of Supervisor.
func quoteSupervisor(words []string) string {
	return quoteWords(words, strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`))
}

func quoteWords(words []string, escape *strings.Replacer) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = escape.Replace(word)
		if word == "" || strings.ContainsAny(word, " \t\"'\\;") {
			quoted[i] = `"` + quoted[i] + `"`
		}
	}
	return strings.Join(quoted, " ")
}

// quoteJSON writes a value that JSON and YAML read.
func quoteJSON(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSpace(b.String()), err
}
