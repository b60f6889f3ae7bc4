package config

import "testing"

func TestInspector(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		on      bool
		token   string
		masked  string
	}{
		{"off", nil, false, "", ""},
		{"for this machine", []string{"REVERB_GO_INSPECTOR=true"}, true, "", ""},
		{"with a token", []string{"REVERB_GO_INSPECTOR=1", "REVERB_GO_ADMIN_TOKEN=0123456789abcdef"}, true, "0123456789abcdef", "••••"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(Sources{Environ: tt.environ, Laravel: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if masked := c.Setting("servers.reverb.admin_token").Value; c.Inspector != tt.on || c.AdminToken != tt.token || masked != tt.masked {
				t.Errorf("got %v, %q shown as %q; want %v, %q, %q", c.Inspector, c.AdminToken, masked, tt.on, tt.token, tt.masked)
			}
		})
	}
}

func TestShortToken(t *testing.T) {
	_, err := Load(Sources{Environ: []string{"REVERB_GO_ADMIN_TOKEN=0123456789abcde"}, Laravel: t.TempDir()})
	if err == nil {
		t.Error("a short token was taken")
	}
}
