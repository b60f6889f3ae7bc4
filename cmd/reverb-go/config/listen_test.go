package config

import (
	"fmt"
	"testing"
)

func TestListen(t *testing.T) {
	for _, tt := range []struct {
		said, want string // "" is an error
	}{
		{"127.0.0.1:8081", "[127.0.0.1:8081]"},
		{":8081", "[:8081]"},
		{"[::1]:8081", "[[::1]:8081]"},
		{"app.test:443", "[app.test:443]"},
		{"http://127.0.0.1:8081", "[http://127.0.0.1:8081]"},
		{"https://127.0.0.1:8443/", "[https://127.0.0.1:8443]"},
		{"unix:/run/reverb.sock", "[unix:/run/reverb.sock]"},
		{"unix:///run/reverb.sock", "[unix:/run/reverb.sock]"},
		{"127.0.0.1:8081, unix:a.sock,", "[127.0.0.1:8081 unix:a.sock]"},
		{"", "[]"},
		{"8081", ""},
		{"127.0.0.1", ""},
		{"127.0.0.1:0", ""},
		{"127.0.0.1:65536", ""},
		{"127.0.0.1:http", ""},
		{"http://user@host:80", ""},
		{"http://127.0.0.1:80/path", ""},
		{"ftp://127.0.0.1:80", ""},
		{"unix:", ""},
		{"unix:@abstract", ""},
	} {
		c, err := Load(Sources{Environ: []string{"REVERB_GO_LISTEN=" + tt.said}, Laravel: t.TempDir()})
		got := ""
		if err == nil {
			got = fmt.Sprint(c.Listen)
		}
		if got != tt.want {
			t.Errorf("%s: got %s (%v), want %s", tt.said, got, err, tt.want)
		}
	}
}

func TestFirst(t *testing.T) {
	for _, tt := range []struct{ host, listen, want string }{
		{"", "", "0.0.0.0:8080"},
		{"::1", "127.0.0.1:1", "[::1]:8080"},
		{"[::1]", "", "[::1]:8080"},
		{"off", "unix:/a,127.0.0.1:1", "unix:/a"},
		{"off", "http://127.0.0.1:1", "http://127.0.0.1:1"},
	} {
		c, err := Load(Sources{Environ: []string{"REVERB_SERVER_HOST=" + tt.host, "REVERB_GO_LISTEN=" + tt.listen}, Laravel: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.First().String(); got != tt.want {
			t.Errorf("%q, %q: got %s, want %s", tt.host, tt.listen, got, tt.want)
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	for _, tt := range []struct {
		said   string
		want   string // "" is an error
		isUnix bool
	}{
		{"", "[]", false},
		{"10.0.0.0/8, ::1", "[10.0.0.0/8 ::1/128]", false},
		{"unix", "[]", true},
		{"unix,127.0.0.1", "[127.0.0.1/32]", true},
		{"*", "[0.0.0.0/0 ::/0]", true},
		{"Unix", "", false},
	} {
		c, err := Load(Sources{Environ: []string{"REVERB_GO_TRUSTED_PROXIES=" + tt.said}, Laravel: t.TempDir()})
		if err != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.said, err)
			}
			continue
		}
		if got := fmt.Sprint(c.TrustedProxies); got != tt.want || c.TrustUnix != tt.isUnix {
			t.Errorf("%s: got %s, %v; want %s, %v", tt.said, got, c.TrustUnix, tt.want, tt.isUnix)
		}
	}
}
