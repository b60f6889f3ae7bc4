// Package laravel reads the configuration a Laravel application keeps on disk, so that a Go program
// sees what PHP would see.
//
// [ParseEnv] reads a .env file and [EnvValue] turns what is in it into what PHP's env() returns.
// [ParseConfigCache] reads the array that "php artisan config:cache" leaves in
// bootstrap/cache/config.php as a tree of [Value].
//
// Faults are a [*SyntaxError] with the line and a hint. It never quotes a value, which may be a secret.
//
// # Not here
//
// Files are opened, and their order of precedence is decided, by package config. No PHP is run: a
// config/reverb.php that was not cached cannot be read.
package laravel
