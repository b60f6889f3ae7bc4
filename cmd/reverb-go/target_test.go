package main

import (
	"testing"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func TestTargetURL(t *testing.T) {
	listening := &config.Config{Host: "0.0.0.0", Port: 8080, Path: "/ws/"}
	for _, tt := range []struct {
		name, said         string
		host, port, scheme string
		want               string
	}{
		{"said", "https://ws.example.com/x/", "", "", "", "https://ws.example.com/x"},
		{"said as for WebSockets", "wss://ws.example.com:8443", "a", "1", "http", "https://ws.example.com:8443"},
		{"of the app", "", "ws.example.com", "443", "https", "https://ws.example.com/ws"},
		{"of the app with a port", "", "localhost", "8080", "http", "http://localhost:8080/ws"},
		{"of the app with IPv6", "", "::1", "80", "http", "http://[::1]/ws"},
		{"of the app as a URL", "", "https://ws.example.com", "443", "https", "https://ws.example.com/ws"},
		{"of the server", "", "", "443", "https", "http://127.0.0.1:8080/ws"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := config.App{App: auth.DefaultApp(), Host: tt.host, Port: tt.port, Scheme: tt.scheme}
			got, err := targetURL(listening, app, tt.said)
			if err != nil || got.String() != tt.want {
				t.Errorf("got %v, %v; want %s", got, err, tt.want)
			}
		})
	}
}
