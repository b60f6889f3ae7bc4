package channels

import "testing"

func TestKindOf(t *testing.T) {
	tests := []struct {
		name string
		want Kind
	}{
		{"news", 0},
		{"", 0},
		{"my-private-news", 0},
		{"Private-news", 0},
		{"private-news", Private},
		{"privatenews", Private}, // as Reverb
		{"private", Private},
		{"privat", 0},
		{"presence-room", Presence},
		{"presenceroom", Presence},
		{"cache-x", Cache},
		{"cachex", Cache},
		{"private-cache-x", Private | Cache},
		{"private-cachex", Private},
		{"presence-cache-x", Presence | Cache},
		{"presence-cachex", Presence},
		{"private-encrypted-x", Private | Encrypted},
		{"private-encryptedx", Private},
		{"private-encrypted-cache-x", Private | Encrypted | Cache},
		{"#server-to-user-7", ServerToUser},
		{"#private-x", 0},
		{"\x00online:7", Watch},
	}
	for _, tt := range tests {
		if got := KindOf(tt.name); got != tt.want {
			t.Errorf("KindOf(%q) = %b, want %b", tt.name, got, tt.want)
		}
		if got := KindOf([]byte(tt.name)); got != tt.want {
			t.Errorf("KindOf of the bytes %q = %b, want %b", tt.name, got, tt.want)
		}
	}
}

func TestKindProperties(t *testing.T) {
	tests := []struct {
		kind                  Kind
		isGuarded, isInternal bool
	}{
		{0, false, false},
		{Cache, false, false},
		{Private, true, false},
		{Presence | Cache, true, false},
		{Private | Encrypted, true, false},
		{ServerToUser, false, true},
		{Watch, false, true},
	}
	for _, tt := range tests {
		if got := tt.kind.Guarded(); got != tt.isGuarded {
			t.Errorf("Guarded of %b = %t", tt.kind, got)
		}
		if got := tt.kind.IsInternal(); got != tt.isInternal {
			t.Errorf("IsInternal of %b = %t", tt.kind, got)
		}
	}
}

func TestUserOf(t *testing.T) {
	for name, want := range map[string]string{"#server-to-user-7": "7", "#server-to-user-": "", "news": "", "": "", "#server-to-user": ""} {
		if got := UserOf(name); got != want {
			t.Errorf("UserOf(%q) = %q, want %q", name, got, want)
		}
	}
}
