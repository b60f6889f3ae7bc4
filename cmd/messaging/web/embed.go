// Package web holds the page of the messaging app, as "npm run build" leaves it in the folder dist.
package web

import (
	"embed"
	"io/fs"
)

// The folder is empty but for a file that keeps it until the page is built.
//
//go:embed all:dist
var dist embed.FS

// Files returns the page's files and reports whether it was built before the program was.
func Files() (fs.FS, bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, false
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
