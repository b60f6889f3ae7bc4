package inspector

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/server"
)

const testToken = "0123456789abcdef"

// TestOff compares what a server without an inspector answers with what it answers to any unknown path.
func TestOff(t *testing.T) {
	apps, err := auth.NewApps()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, url: listen(t, server.Config{Apps: apps})}
	for _, path := range []string{"/inspector", "/inspector/", "/inspector/main.js", "/inspector/api/overview"} {
		s.isUnknown(path)
	}
}

// isUnknown compares the answer to a path with that to one that there never is.
func (s *stage) isUnknown(path string, headers ...string) {
	s.t.Helper()
	status, body, h := s.do("GET", path, "", headers...)
	wantStatus, wantBody, want := s.do("GET", "/nothing", "", headers...)
	h.Del("Date")
	want.Del("Date")
	if status != wantStatus || body != wantBody || fmt.Sprint(h) != fmt.Sprint(want) {
		s.t.Errorf("%s %v: got %d %s %v, want %d %s %v", path, headers, status, body, h, wantStatus, wantBody, want)
	}
}

func TestLoopback(t *testing.T) {
	for _, tt := range []struct {
		name    string
		proxies []string
		headers []string
		known   bool
	}{
		{"this machine", nil, nil, true},
		{"by name", nil, []string{"Host: localhost:8080"}, true},
		{"by an IPv6 address", nil, []string{"Host: [::1]:8080"}, true},
		{"by a name that somebody has pointed here", nil, []string{"Host: evil.example"}, false},
		{"through a proxy", nil, []string{"X-Forwarded-For: 127.0.0.1"}, false},
		{"through a proxy that says little", nil, []string{"X-Forwarded-Host: localhost"}, false},
		{"through a trusted proxy from elsewhere", []string{"127.0.0.0/8"}, []string{"X-Forwarded-For: 203.0.113.7"}, false},
		{"through a trusted proxy from here", []string{"127.0.0.0/8"}, []string{"X-Forwarded-For: ::1"}, true},
		{"through a trusted proxy that is told to be from here", []string{"127.0.0.0/8"}, []string{"X-Forwarded-For: 127.0.0.1, 203.0.113.7"}, false},
		{"through a trusted proxy that does not say for whom", []string{"127.0.0.0/8"}, []string{"X-Real-Ip: 203.0.113.7"}, false},
		{"through a trusted proxy that speaks another header", []string{"127.0.0.0/8"}, []string{"Forwarded: for=127.0.0.1"}, false},
		{"from a trusted address", []string{"127.0.0.0/8"}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, "", tt.proxies...)
			for _, path := range []string{"/inspector", "/inspector/main.js", "/inspector/api/overview"} {
				if !tt.known {
					s.isUnknown(path, tt.headers...)
				} else if status, body, _ := s.do("GET", path, "", tt.headers...); status != http.StatusOK {
					t.Errorf("%s: got %d %s", path, status, body)
				}
			}
		})
	}
}

func TestToken(t *testing.T) {
	s := serve(t, testToken)
	for _, tt := range []struct {
		header string
		status int
	}{
		{"Authorization: Bearer " + testToken, http.StatusOK},
		{"Authorization:", http.StatusUnauthorized},
		{"Authorization: " + testToken, http.StatusUnauthorized},
		{"Authorization: Bearer", http.StatusUnauthorized},
		{"Authorization: Bearer " + testToken[1:], http.StatusUnauthorized},
		{"Authorization: Bearer " + testToken + "0", http.StatusUnauthorized},
		{"Authorization: Basic " + testToken, http.StatusUnauthorized},
	} {
		if status, body, _ := s.do("GET", prefix+"/api/overview?token="+testToken, "", tt.header); status != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.header, status, body, tt.status)
		}
	}
	// With the token it does not matter from where, or by which name.
	if status, body, _ := s.do("GET", prefix+"/api/overview", "", "Host: ws.example.com", "X-Forwarded-For: 203.0.113.7"); status != http.StatusOK {
		t.Errorf("from elsewhere: got %d %s", status, body)
	}
	if status, _, _ := s.do("GET", prefix, "", "Authorization:", viewerHeader+":"); status != http.StatusOK {
		t.Errorf("the page, which asks for the token: got %d", status)
	}
}

// TestOtherSites lets pages of other sites try what they can make a browser send.
func TestOtherSites(t *testing.T) {
	s := serve(t, "")
	host := strings.TrimPrefix(s.url, "http://")
	const body = `{"app":"1","channel":"news","event":"test","data":"{}"}`
	for _, tt := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"the page itself", []string{"Origin: http://" + host, "Sec-Fetch-Site: same-origin"}, http.StatusOK},
		{"behind a proxy that speaks TLS", []string{"Origin: https://" + host}, http.StatusOK},
		{"no browser", nil, http.StatusOK},
		{"a form", []string{viewerHeader + ":", "Content-Type: text/plain", "Origin: https://evil.example"}, http.StatusForbidden},
		{"a script", []string{"Origin: https://evil.example"}, http.StatusForbidden},
		{"a page without an origin", []string{"Origin: null"}, http.StatusForbidden},
		{"another port", []string{"Origin: http://127.0.0.1:1"}, http.StatusForbidden},
		{"a browser that names no origin", []string{"Sec-Fetch-Site: cross-site"}, http.StatusForbidden},
		{"another host of the site", []string{"Sec-Fetch-Site: same-site"}, http.StatusForbidden},
		{"no header of ours", []string{viewerHeader + ":"}, http.StatusForbidden},
		{"a name too long", []string{viewerHeader + ": " + strings.Repeat("x", maxViewerName+1)}, http.StatusForbidden},
		{"a body of a form", []string{"Content-Type: application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"publish", "terminate", "close", "taps", "explain"} {
				status, answer, _ := s.do("POST", prefix+"/api/"+name, body, tt.headers...)
				if isLetIn := status != http.StatusForbidden && status != http.StatusUnsupportedMediaType; isLetIn != (tt.status == http.StatusOK) {
					t.Errorf("%s: got %d %s", name, status, answer)
				}
			}
			if status, answer, _ := s.do("POST", prefix+"/api/publish", body, tt.headers...); status != tt.status {
				t.Errorf("publish: got %d %s, want %d", status, answer, tt.status)
			}
		})
		s.skip(time.Second)
	}
}

// skip lets time pass.
func (s *stage) skip(d time.Duration) { s.skipped.Add(int64(d)) }

func TestHeaders(t *testing.T) {
	s := serve(t, "")
	for _, path := range []string{"/inspector", "/inspector/", "/inspector/main.js", "/inspector/inspector.css", "/inspector/icon.svg", "/inspector/api/overview"} {
		status, _, h := s.do("GET", path, "")
		if status != http.StatusOK || h.Get("Content-Type") == "" {
			t.Errorf("%s: got %d, %q", path, status, h.Get("Content-Type"))
		}
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: the policy is %s", path, policy)
			}
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: got %v", path, h)
		}
	}
	for _, path := range []string{"/inspector/nothing.js", "/inspector/../inspector.go", "/inspector/page", "/inspectors"} {
		if status, body, _ := s.do("GET", path, ""); status != http.StatusNotFound {
			t.Errorf("%s: got %d %.50s", path, status, body)
		}
	}
	if status, _, _ := s.do("POST", "/inspector", ""); status != http.StatusNotFound {
		t.Errorf("POST /inspector: got %d", status)
	}
}

func TestViewers(t *testing.T) {
	s := serve(t, "")
	ask := func(viewer string) int {
		status, _, _ := s.do("GET", prefix+"/api/nodes", "", viewerHeader+": "+viewer)
		return status
	}
	for i := range maxViewers {
		if got := ask(fmt.Sprint(i)); got != http.StatusOK {
			t.Fatalf("viewer %d: got %d", i, got)
		}
	}
	if got := ask("one more"); got != http.StatusTooManyRequests {
		t.Errorf("one more: got %d", got)
	}
	s.skip(viewerTime + time.Second)
	if got := ask("one more"); got != http.StatusOK {
		t.Errorf("one more, when the others have gone: got %d", got)
	}
}

// TestViewerRate asks more often than is good, at one moment.
func TestViewerRate(t *testing.T) {
	var v viewers
	now := time.Unix(1_700_000_000, 0)
	for i := range viewerBurst {
		if p := v.admit("a", now); p != nil {
			t.Fatalf("request %d: %v", i, p)
		}
	}
	if v.admit("a", now) == nil {
		t.Error("one more was let in")
	}
	if p := v.admit("b", now); p != nil {
		t.Errorf("somebody else: %v", p)
	}
	if p := v.admit("a", now.Add(time.Second)); p != nil {
		t.Errorf("a second later: %v", p)
	}
}
