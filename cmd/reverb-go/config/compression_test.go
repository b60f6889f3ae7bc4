package config

import (
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/auth"
)

func TestCompression(t *testing.T) {
	const file = "apps: {apps: [{app_id: 1, key: k, secret: s, compression: %}]}"
	tests := []struct {
		name    string
		files   map[string]string
		environ string
		want    auth.Compression
		shown   string
	}{
		{"default", nil, "", auth.CompressionOff, "off"},
		{"environment", nil, "REVERB_GO_COMPRESSION=auto", auth.CompressionAuto, "auto"},
		{"environment, off", nil, "REVERB_GO_COMPRESSION=off", auth.CompressionOff, "off"},
		{".env, false", map[string]string{".env": credentials + "REVERB_GO_COMPRESSION=false\n"}, "", auth.CompressionOff, "off"},
		{"file", map[string]string{"reverb.yaml": strings.ReplaceAll(file, "%", "auto")}, "", auth.CompressionAuto, "auto"},
		{"file, off", map[string]string{"reverb.yaml": strings.ReplaceAll(file, "%", "off")}, "", auth.CompressionOff, "off"},
		{
			"PHP", map[string]string{"bootstrap/cache/config.php": `<?php return array('reverb' => array('apps' => array('provider' => 'config', 'apps' => array(0 =>
				array('app_id' => 1, 'key' => 'k', 'secret' => 's', 'compression' => 'auto')))));`}, "", auth.CompressionAuto, "auto",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{".env": credentials}
			for name, text := range tt.files {
				files[name] = text
			}
			place(t, files)
			from := Sources{}
			if tt.files["reverb.yaml"] != "" {
				from.File = "reverb.yaml"
			}
			if tt.environ != "" {
				from.Environ = []string{tt.environ}
			}
			c := mustLoad(t, from)
			if got := c.Apps[0].Compression; got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
			if got := c.Setting("apps.apps.0.compression").Value; got != tt.shown {
				t.Errorf("shown as %v, want %s", got, tt.shown)
			}
		})
	}
}

func TestNoSuchCompression(t *testing.T) {
	place(t, map[string]string{".env": credentials})
	_, err := Load(Sources{Environ: []string{"REVERB_GO_COMPRESSION=true"}})
	if err == nil || !strings.Contains(err.Error(), `compression is "true"`) {
		t.Errorf("got %v", err)
	}
}
