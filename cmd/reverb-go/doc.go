// Command reverb-go takes the place of "php artisan reverb:start": a server for Laravel Echo, pusher-js and
// every other client of the Pusher protocol.
//
// Here flags, environment and Laravel's files become plain structs, the parts are made and connected, and
// what ends the process becomes an exit code: 0 when it was asked to end, 2 when the configuration
// cannot be used, 1 for everything else. [start] reads as a list of what is done.
//
// Standard output has what Reverb prints, and nothing more unless there is no app or --debug is given;
// the log goes to standard error.
package main
