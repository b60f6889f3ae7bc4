package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// Sources says where Load looks.
type Sources struct {
	Flags   map[string]string // those given on the command line, by name
	Environ []string          // the real environment, as from os.Environ
	File    string            // the YAML file; "" is none
	Laravel string            // the folder of the Laravel app; "" is the working folder, if it is one
	Env     string            // Laravel's --env: which .env file, before APP_ENV
}

// Load resolves every setting. Its error is a *Problem.
func Load(s Sources) (*Config, error) {
	l := loader{config: &Config{}, flags: s.Flags}
	if err := l.open(s); err != nil {
		return nil, err
	}
	l.config.AppTable.dir, l.config.Cache.dir = s.Laravel, s.Laravel
	for _, k := range serverKeys(l.config) {
		if err := l.store(k, k.name, l.find(k)); err != nil {
			return nil, err
		}
	}
	if err := l.apps(); err != nil {
		return nil, err
	}
	l.warnOfVariables()
	l.warnOfTLS()
	return l.config, nil
}

// loader holds the opened places and collects what they say.
type loader struct {
	config  *Config
	flags   map[string]string
	environ map[string]string
	file    tree // --config
	cached  tree // bootstrap/cache/config.php
	dotenv  laravel.Env
	envName string // of the file dotenv was read from
}

// tree is a file that has the shape of config/reverb.php.
type tree struct {
	name  string
	root  *laravel.Map // nil without a file
	lines bool         // whether people know its lines
}

// source names the place of a value.
func (t tree) source(v laravel.Value) string {
	if t.lines {
		return fmt.Sprintf("%s:%d", t.name, v.Line)
	}
	return t.name
}

func (l *loader) open(s Sources) error {
	l.environ = make(map[string]string)
	for _, line := range s.Environ {
		name, value, _ := strings.Cut(line, "=")
		if name != "" { // Windows has lines like "=C:=C:\\"
			l.environ[name] = value
		}
	}
	if err := l.openFile(s.File); err != nil {
		return err
	}
	dir := s.Laravel
	if dir == "" {
		if _, err := os.Stat("artisan"); err != nil {
			if _, err := os.Stat(".env"); err == nil {
				l.warn(".env is not read, because there is no artisan next to it", "--laravel=. says that this folder is meant")
			}
			return nil
		}
	} else if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &Problem{fmt.Sprintf("%s is no folder", dir), "--laravel is the folder that holds artisan and .env"}
	}
	if err := l.openCache(filepath.Join(dir, "bootstrap", "cache", "config.php")); err != nil {
		return err
	}
	err := l.openEnv(dir, s.Env)
	if err != nil && l.cached.root != nil {
		l.warn(err.Error(), "Laravel does not read the file while its configuration is cached; nor does reverb-go for now")
		return nil
	}
	return err
}

func (l *loader) openFile(name string) error {
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return unreadable(err)
	}
	root, err := parseYAML(text)
	if err != nil {
		return inFile(name, err)
	}
	l.file = tree{name: name, root: root, lines: true}
	return l.checkFile()
}

func (l *loader) openCache(name string) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(err)
	}
	value, err := laravel.ParseConfigCache(text)
	if err != nil {
		return inFile(name, err)
	}
	root, _ := value.V.(*laravel.Map)
	reverb := root.Map("reverb")
	if reverb == nil {
		l.warn(name+" knows nothing of Reverb and is ignored", `it was cached before Reverb was installed: run "php artisan config:cache"`)
		return nil
	}
	if provider, ok := reverb.Get("apps.provider"); ok && provider.V != AppsFromConfig && provider.V != AppsFromSQL {
		l.warn(fmt.Sprintf("the apps come from a provider of the application's own (%v in %s), which only PHP can ask", provider.V, name),
			"list them in a --config file, or in a table with REVERB_GO_APPS_PROVIDER=sql")
		reverb.Map("apps").Set("provider", laravel.Value{})
	}
	l.cached = tree{name: name, root: withDatabase(withCache(withRedis(reverb, root), root), root)}
	return nil
}

// withRedis gives scaling the Redis connection that Reverb falls back to if its own is left out.
func withRedis(reverb, root *laravel.Map) *laravel.Map {
	scaling := reverb.Map("servers.reverb.scaling")
	if redis, ok := root.Get("database.redis.default"); ok && scaling != nil && scaling.Map("server").Len() == 0 {
		scaling.Set("server", redis)
	}
	prefix, ok := root.Get("database.redis.options.prefix")
	if server := reverb.Map("servers.reverb"); ok && server != nil {
		server.Set("redis_prefix", prefix)
	}
	return reverb
}

// withCache tells where the default cache store is.
func withCache(reverb, root *laravel.Map) *laravel.Map {
	server := reverb.Map("servers.reverb")
	if server == nil {
		return reverb
	}
	found := laravel.NewMap()
	for name, path := range map[string]string{
		"store": "cache.default", "prefix": "cache.prefix", "path": "cache.stores.file.path", "app_name": "app.name",
		"database": "database.redis.cache.database",
	} {
		if v, ok := root.Get(path); ok {
			found.Set(name, v)
		}
	}
	restart := laravel.NewMap()
	restart.Set("cache", laravel.Value{V: found})
	server.Set("restart", laravel.Value{V: restart})
	return reverb
}

// openEnv reads .env.{name} for the first of env and APP_ENV that has such a file, else .env, if there.
func (l *loader) openEnv(dir, env string) error {
	name := filepath.Join(dir, ".env")
	for _, suffix := range []string{env, l.environ["APP_ENV"]} {
		if _, err := os.Stat(name + "." + suffix); suffix != "" && err == nil {
			name += "." + suffix
			break
		}
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(err)
	}
	l.envName = name
	l.dotenv, err = laravel.ParseEnv(string(text), func(name string) (string, bool) {
		v, ok := l.environ[name]
		return v, ok
	})
	if err != nil {
		return inFile(name, err)
	}
	l.config.Dotenv = l.dotenv
	return nil
}

// answer is what a place says about a setting; without a source, nothing.
type answer struct {
	value  any
	source string
}

// find asks every place for a setting of the server.
func (l *loader) find(k key) answer {
	if s, ok := l.flags[k.flag]; ok {
		return answer{s, "flag --" + k.flag}
	}
	if a := l.inEnvironment(k); a.source != "" {
		return a
	}
	for _, t := range []tree{l.file, l.cached} {
		if v, ok := t.root.Get(k.name); ok {
			return answer{v.V, t.source(v)}
		}
	}
	return l.inDotenv(k)
}

func (l *loader) inEnvironment(k key) answer {
	if s, ok := l.environ[k.env]; ok {
		return answer{laravel.EnvValue(s), "environment " + k.env}
	}
	return answer{}
}

func (l *loader) inDotenv(k key) answer {
	s, ok := l.dotenv[k.env]
	if !ok || l.cached.root != nil && !strings.HasPrefix(k.env, ownPrefix) {
		return answer{}
	}
	return answer{laravel.EnvValue(s.Value), fmt.Sprintf("%s:%d", l.envName, s.Line)}
}

// store converts the answer, or the default, and notes where it came from.
func (l *loader) store(k key, name string, a answer) error {
	if a.source == "" {
		a.source = "default"
	}
	if a.value == nil || a.value == "" {
		a.value = k.def
	}
	if err := k.to.set(a.value); err != nil {
		var p *Problem
		errors.As(err, &p)
		return &Problem{fmt.Sprintf("%s is %s, %s (%s)", name, said(a.value), p.Sentence, a.source), p.Hint}
	}
	setting := Setting{Name: name, Value: k.to.show(), Source: a.source, Variable: k.env, IsSecret: k.secret}
	if k.secret && setting.Value != "" {
		setting.Value = "••••"
	}
	l.config.Settings = append(l.config.Settings, setting)
	return nil
}

// said shows a value in an error.
func said(v any) string {
	if s, ok := scalar(v); ok {
		return strconv.Quote(s)
	}
	return "a block"
}

func (l *loader) warn(sentence, hint string) {
	l.config.Warnings = append(l.config.Warnings, Problem{sentence, hint})
}

func unreadable(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return &Problem{fmt.Sprintf("%s cannot be read: %v", path.Path, path.Err), "does it exist, and may this user read it?"}
	}
	return err
}

// inFile says in which file a fault is.
func inFile(name string, err error) error {
	var fault *laravel.SyntaxError
	if errors.As(err, &fault) {
		return &Problem{fmt.Sprintf("%s:%d: %s", name, fault.Line, fault.Problem), fault.Hint}
	}
	return err
}
