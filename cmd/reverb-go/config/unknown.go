package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// checkFile refuses keys of the YAML file that mean nothing, which are most likely misspelt, and warns of
// those that mean something to Reverb only.
func (l *loader) checkFile() error {
	names := knownNames()
	return l.checkKeys(names, l.file.root, "", "")
}

// knownNames are the full names of all keys a file may have; * stands for the number of an app.
func knownNames() []string {
	var names []string
	for _, k := range serverKeys(&Config{}) {
		names = append(names, k.name)
	}
	for _, k := range appKeys(&App{}) {
		names = append(names, appsPath+".*."+k.name)
	}
	for name := range idleKeys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkKeys checks the keys of m. path is where it stands, pattern the same with * for the number of an app.
func (l *loader) checkKeys(names []string, m *laravel.Map, path, pattern string) error {
	for name, v := range m.All() {
		path, pattern := path+name, pattern+name
		if strings.HasPrefix(pattern, appsPath+".") && strings.Count(pattern, ".") == 2 {
			pattern = appsPath + ".*"
		}
		if slices.Contains(names, pattern) {
			if why := idleKeys[pattern]; why != "" {
				l.warn(fmt.Sprintf("%s has no effect (%s)", path, l.file.source(v)), why)
			}
			continue
		}
		child, isMap := v.V.(*laravel.Map)
		isBlock := slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, pattern+".") })
		switch {
		case !isBlock:
			return &Problem{fmt.Sprintf("%s: unknown key %q", l.file.source(v), path), "did you mean " + nearest(names, pattern) + "?"}
		case !isMap && v.V != nil:
			return &Problem{fmt.Sprintf("%s: %s is no block of keys", l.file.source(v), path), "indent its keys below it"}
		}
		if err := l.checkKeys(names, child, path+".", pattern+"."); err != nil {
			return err
		}
	}
	return nil
}

// warnOfVariables warns of variables that look like ours and mean nothing.
func (l *loader) warnOfVariables() {
	var names []string
	for _, k := range append(serverKeys(&Config{}), appKeys(&App{})...) {
		if strings.HasPrefix(k.env, ownPrefix) {
			names = append(names, k.env)
		}
	}
	means := func(name, where string) {
		if strings.HasPrefix(name, ownPrefix) && !slices.Contains(names, name) {
			l.warn(fmt.Sprintf("the variable %s (%s) means nothing to this version", name, where), "did you mean "+nearest(names, name)+"?")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.environ)) {
		means(name, "environment")
	}
	for _, name := range slices.Sorted(maps.Keys(l.dotenv)) {
		means(name, fmt.Sprintf("%s:%d", l.envName, l.dotenv[name].Line))
	}
}

// warnOfTLS warns of PHP's SSL options in a cached configuration that are not followed.
func (l *loader) warnOfTLS() {
	const path = "servers.reverb.options.tls"
	names := knownNames()
	for name, v := range l.cached.root.Map(path).All() {
		if name = path + "." + name; v.V != nil && (idleKeys[name] != "" || !slices.Contains(names, name)) {
			l.warn(fmt.Sprintf("%s has no effect (%s)", name, l.cached.source(v)), idleTLS)
		}
	}
}

// nearest returns the name whose last part is most like that of the given one; of several, the one most
// like it as a whole.
func nearest(names []string, name string) string {
	last := func(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
	return slices.MinFunc(names, func(a, b string) int {
		if d := distance(last(a), last(name)) - distance(last(b), last(name)); d != 0 {
			return d
		}
		return distance(a, name) - distance(b, name)
	})
}

// distance is the number of bytes to insert, delete or replace to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
