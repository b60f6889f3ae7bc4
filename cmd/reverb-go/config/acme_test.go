package config

import "testing"

func TestDomains(t *testing.T) {
	for _, tt := range []struct {
		said  string
		valid bool
	}{
		{"", true},
		{"ws.example.com", true},
		{"a.example.com, b.example.com", true},
		{"xn--bcher-kva.example", true},
		{"*.example.com", false},
		{"https://ws.example.com", false},
		{"ws.example.com:443", false},
		{"ws.example.com.", false},
		{"WS.example.com", false},
		{"localhost", false},
		{"192.0.2.1", false},
		{"-.example.com", false},
	} {
		_, err := Load(Sources{Environ: []string{"REVERB_GO_ACME_DOMAIN=" + tt.said}, Laravel: t.TempDir()})
		if (err == nil) != tt.valid {
			t.Errorf("%s: got %v, want it to be valid: %v", tt.said, err, tt.valid)
		}
	}
}

func TestDirectory(t *testing.T) {
	for said, valid := range map[string]bool{
		"": true, "https://127.0.0.1:14000/dir": true, "http://ca.test/dir": false, "ca.test/dir": false, "https://": false,
	} {
		_, err := Load(Sources{Environ: []string{"REVERB_GO_ACME_DIRECTORY=" + said}, Laravel: t.TempDir()})
		if (err == nil) != valid {
			t.Errorf("%s: got %v, want it to be valid: %v", said, err, valid)
		}
	}
}
