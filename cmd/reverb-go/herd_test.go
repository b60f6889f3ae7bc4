package main

import "testing"

func TestHostOf(t *testing.T) {
	tests := []struct{ hostname, want string }{
		{"app.test", "app.test"},
		{"app.test:8080", "app.test"},
		{"https://app.test", "app.test"},
		{"https://app.test:99/path", "app.test"},
		{"//app.test", "app.test"},
		{"[::1]:80", "::1"},
		{"::1", "::1"},
		{"no host at all", "no host at all"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := hostOf(tt.hostname); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.hostname, got, tt.want)
		}
	}
}
