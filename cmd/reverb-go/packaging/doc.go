// Command packaging builds what is released of reverb-go: a static binary for each system, Debian packages, and
// the checksums of all.
//
//	go run ./cmd/reverb-go/packaging --out=dist
//
// Everything depends on the commit and the Go version alone: files get the time of the commit (or SOURCE_DATE_EPOCH),
// and no path, environment or clock of the machine gets into them. "make dist-check" builds twice, in two folders, and compares.
//
// The packages are written by nfpm, which has a module file of its own, nfpm.mod: nothing else needs its dependencies.
//
// # Not here
//
// The systemd unit is the one that "reverb-go setup systemd" prints, by package setup. Nothing is signed or uploaded.
package main
