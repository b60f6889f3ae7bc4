// Package usage says what processes cost: processor time and memory, of this one and of the server.
//
// A server on this machine is a process id, read from /proc together with its children ([Process]); one
// elsewhere is the URL of a Prometheus page with the usual process metrics ([Page]).
package usage
