package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// developmentCertificate looks for a certificate that Laravel Herd or Valet has made for the hostname. Unlike
// Reverb, which would in production, it never asks clients for one of theirs: they have none.
func developmentCertificate(hostname string) config.TLS {
	home, err := os.UserHomeDir()
	if err != nil || hostname == "" {
		return config.TLS{}
	}
	for _, dir := range certificateDirs(home) {
		name := filepath.Join(dir, hostOf(hostname))
		if isFile(name+".crt") && isFile(name+".key") {
			return config.TLS{LocalCert: name + ".crt", LocalPK: name + ".key"}
		}
	}
	return config.TLS{}
}

func certificateDirs(home string) []string {
	herd := []string{home, "Library", "Application Support", "Herd", "config", "valet", "Certificates"}
	if runtime.GOOS == "windows" {
		herd = []string{home, ".config", "herd", "config", "valet", "Certificates"}
	}
	return []string{filepath.Join(herd...), filepath.Join(home, ".config", "valet", "Certificates")}
}

// hostOf takes the host out of a hostname that was written as a URL or with a port.
func hostOf(hostname string) string {
	if net.ParseIP(hostname) != nil {
		return hostname
	}
	s := hostname
	if !strings.Contains(s, "//") {
		s = "//" + s
	}
	if u, err := url.Parse(s); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return hostname
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
