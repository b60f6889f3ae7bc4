package settings

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// env finds variables. The first thing that is wrong is kept in err.
type env struct {
	environ map[string]string
	file    laravel.Env
	err     error
}

// open reads the file of a name, or .env if there is one.
func open(environ []string, dotenv string) (*env, error) {
	e := &env{environ: make(map[string]string)}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		e.environ[name] = value
	}
	name := dotenv
	if name == "" {
		name = ".env"
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && dotenv == "" {
		return e, nil
	}
	if err != nil {
		return nil, problem(err.Error(), "--env-file is a file of lines like NAME=value")
	}
	e.file, err = laravel.ParseEnv(string(text), func(name string) (string, bool) { v, ok := e.environ[name]; return v, ok })
	var fault *laravel.SyntaxError
	if errors.As(err, &fault) {
		return nil, problem(fmt.Sprintf("%s, %v", name, fault), fault.Hint)
	}
	return e, err
}

// lookup returns what PHP's env() would, and whether that is anything.
func (e *env) lookup(name string) (string, bool) {
	text, ok := e.environ[name]
	if !ok {
		v, inFile := e.file[name]
		text, ok = v.Value, inFile
	}
	if !ok {
		return "", false
	}
	switch v := laravel.EnvValue(text).(type) {
	case bool:
		return strconv.FormatBool(v), true
	case string:
		return v, v != ""
	}
	return "null", name == "BROADCAST_CONNECTION" // where it is the name of a driver
}

func (e *env) text(name, missing string) string {
	if text, ok := e.lookup(name); ok {
		return text
	}
	return missing
}

func (e *env) number(name string, missing, least int) int {
	text, ok := e.lookup(name)
	if !ok {
		return missing
	}
	n, err := strconv.Atoi(text)
	e.require(err == nil && n >= least, name, fmt.Sprintf("a number from %d", least))
	return n
}

func (e *env) truth(name string, missing bool) bool {
	text, ok := e.lookup(name)
	if !ok {
		return missing
	}
	b, err := strconv.ParseBool(text)
	e.require(err == nil, name, "true or false")
	return b
}

// choice is one of several words, of which the first is meant if none is given.
func (e *env) choice(name string, words ...string) string {
	text := e.text(name, words[0])
	for _, w := range words {
		if strings.EqualFold(w, text) {
			return w
		}
	}
	e.require(false, name, "one of "+strings.Join(words, ", "))
	return words[0]
}

func (e *env) require(ok bool, name, what string) {
	if !ok && e.err == nil {
		text, _ := e.lookup(name)
		sentence := fmt.Sprintf("%s is %q", name, text)
		if text == "" {
			sentence = name + " is not set"
		}
		e.err = problem(sentence, name+" is "+what)
	}
}

const leastKey = 16 // bytes

// key reads APP_KEY as Laravel writes it.
func (e *env) key() []byte {
	text, ok := e.lookup("APP_KEY")
	if !ok {
		return nil
	}
	key := []byte(text)
	if encoded, ok := strings.CutPrefix(text, "base64:"); ok {
		key, _ = base64.StdEncoding.DecodeString(encoded)
	}
	if len(key) < leastKey && e.err == nil {
		e.err = problem("APP_KEY is too short, or no base64", `make one with: echo "base64:$(openssl rand -base64 32)"`)
	}
	return key
}
