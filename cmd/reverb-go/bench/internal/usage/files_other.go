//go:build !unix

package usage

// OpenFiles returns want: there is no such limit here.
func OpenFiles(want int) int { return want }
