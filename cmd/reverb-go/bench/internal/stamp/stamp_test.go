package stamp

import (
	"math"
	"testing"
)

func TestFindReadsWhatAppendWrote(t *testing.T) {
	for _, want := range []Stamp{
		{},
		{Run: 1, Channel: 2, Stream: 3, Seq: 4, Time: 5},
		{Run: 0xbeef, Channel: 99_999, Stream: 17, Seq: 1_000_000, Time: 1_700_000_000_000_000_000},
		{Run: math.MaxUint16, Channel: math.MaxUint32, Stream: math.MaxUint16, Seq: math.MaxUint32, Time: math.MaxInt64},
	} {
		text := Append([]byte(`{"event":"e","data":"{\"m\":\"`), want)
		text = append(text, `tail`...)
		got, rest, ok := Find(text)
		if !ok || got != want || string(rest) != "tail" {
			t.Errorf("Find(%q) = %+v, %q, %v, want %+v, \"tail\", true", text, got, rest, ok, want)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	whole := string(Append(nil, Stamp{Run: 1, Seq: 2}))
	for _, tt := range []struct{ name, text string }{
		{"nothing", ""},
		{"no marker", `{"event":"pusher:pong"}`},
		{"cut off", whole[:len(whole)-1]},
		{"marker only", "@bench-"},
		{"no digit", whole[:10] + "g" + whole[11:]},
		{"upper case", whole[:10] + "A" + whole[11:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, _, ok := Find([]byte(tt.text)); ok {
				t.Errorf("Find(%q) = %+v, want none", tt.text, s)
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	text := []byte(`{"event":"bench","data":"{\"m\":\"`)
	text = append(Append(text, Stamp{Run: 1, Channel: 3, Seq: 9, Time: 1 << 60}), make([]byte, 150)...)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, _, ok := Find(text); !ok {
			b.Fatal("not found")
		}
	}
}
