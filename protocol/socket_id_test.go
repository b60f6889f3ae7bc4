package protocol

import "testing"

func TestSocketID(t *testing.T) {
	for _, s := range []string{"1.1", "915103662.465664145", "1000000000.1000000000"} {
		id, ok := ParseSocketID(s)
		equal(t, s+" is one", ok, true)
		equal(t, s, id.String(), s)
	}
	id, _ := ParseSocketID([]byte("12.34"))
	equal(t, "12.34", id, NewSocketID(12, 34))
}

func TestParseSocketIDRefuses(t *testing.T) {
	for _, s := range []string{
		"", ".", "1", "1.", ".1", "0.1", "1.0", "01.1", "1.01", "+1.1", "-1.1", "1.-1", " 1.1", "1.1 ", "1.1.1", "1,1", "a.b", "1e3.1",
		"1000000001.1", "1.1000000001", "4294967297.1", "18446744073709551617.1", "1.18446744073709551617", "abc", // P:API-08
	} {
		if id, ok := ParseSocketID(s); ok || id != 0 {
			t.Errorf("%q: got %v, want none", s, id)
		}
	}
}
