package config

import (
	"path/filepath"
	"strings"
)

// Cache is Laravel's default cache store, as far as it is needed to find what "php artisan reverb:restart"
// leaves there.
type Cache struct {
	Store   string // name of the store; "" is not known
	Driver  string // what Laravel 10 and older call it
	Prefix  string // before all keys; "" is the skeleton's, made from AppName
	AppName string
	Path    string // of the file store; "" is the skeleton's
	DB      string // Redis database

	dir string // of the Laravel app
}

func cacheKeys(k *Cache) []key {
	const path = "restart.cache."
	return []key{
		{name: path + "store", env: "CACHE_STORE", def: "", to: text(&k.Store)},
		{name: path + "driver", env: "CACHE_DRIVER", def: "", to: text(&k.Driver)},
		{name: path + "prefix", env: "CACHE_PREFIX", def: "", to: text(&k.Prefix)},
		{name: path + "app_name", env: "APP_NAME", def: "Laravel", to: text(&k.AppName)},
		{name: path + "path", def: "", to: text(&k.Path)},
		{name: path + "database", env: "REDIS_CACHE_DB", def: "1", to: text(&k.DB)},
	}
}

// restartKey is what reverb:restart writes to.
const restartKey = "laravel:reverb:restart"

// UsesFiles reports whether the signal may be in a file; so it may when nobody says which store there is.
func (k Cache) UsesFiles() bool { return k.store() == "file" || k.store() == "" }

// UsesRedis reports whether the signal is in Redis.
func (k Cache) UsesRedis() bool { return k.store() == "redis" }

func (k Cache) store() string {
	if k.Store != "" {
		return k.Store
	}
	return k.Driver
}

// RestartFile is where the file store keeps the signal: below two folders, under the SHA-1 of its key.
func (k Cache) RestartFile() string {
	path := k.Path
	if path == "" {
		path = filepath.Join(k.dir, "storage", "framework", "cache", "data")
	}
	return filepath.Join(path, "4f", "e4", "4fe44729b03e0a0a2586ebe0d445f50c083d0ff3")
}

// RestartRedisKeys are the keys the signal may be under, redisPrefix being the configured one. The skeletons of
// Laravel 12 and of older versions make up different prefixes when none is set.
func (k Cache) RestartRedisKeys(redisPrefix string) (keys []string) {
	for _, separator := range []string{"-", "_"} {
		name := slug(k.AppName, separator)
		redis, cache := redisPrefix, k.Prefix
		if redis == "" {
			redis = name + separator + "database" + separator
		}
		if cache == "" {
			cache = name + separator + "cache" + separator
		}
		keys = append(keys, redis+cache+restartKey)
	}
	if keys[0] == keys[1] {
		return keys[:1]
	}
	return keys
}

// slug is Laravel's Str::slug for names in ASCII.
func slug(name, separator string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, separator)
}
