package check

import (
	"math/rand/v2"
	"testing"
)

func TestBook(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrived []uint32
		sent    uint32
		want    Counts
	}{
		{"all", []uint32{1, 2, 3}, 3, Counts{Delivered: 3}},
		{"nothing sent", nil, 0, Counts{}},
		{"nothing arrived", nil, 3, Counts{Lost: 3}},
		{"first lost", []uint32{2, 3}, 3, Counts{Delivered: 2, Lost: 1}},
		{"middle lost", []uint32{1, 4}, 4, Counts{Delivered: 2, Lost: 2}},
		{"last lost", []uint32{1}, 3, Counts{Delivered: 1, Lost: 2}},
		{"twice", []uint32{1, 2, 2, 3, 1}, 3, Counts{Delivered: 3, Duplicated: 2}},
		{"exchanged", []uint32{1, 3, 2, 4}, 4, Counts{Delivered: 4, Reordered: 1}},
		{"late, then twice", []uint32{2, 1, 1}, 2, Counts{Delivered: 2, Reordered: 1, Duplicated: 1}},
		{"everything", []uint32{1, 1, 4, 3, 6}, 7, Counts{Delivered: 4, Duplicated: 1, Reordered: 1, Lost: 3}},
		{"number zero", []uint32{0, 1}, 1, Counts{Delivered: 1, Stray: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b Book
			b.Open(3)
			line := b.Open(1)
			for _, seq := range tt.arrived {
				b.Enter(line, seq)
			}
			b.Close(line, tt.sent)
			if b.Counts != tt.want {
				t.Errorf("counts are %+v, want %+v", b.Counts, tt.want)
			}
		})
	}
}

func TestRefusedLine(t *testing.T) {
	var b Book
	line := b.Open(1)
	b.Refuse(line)
	b.Enter(line, 1)
	b.Close(line, 5)
	if want := (Counts{Stray: 1}); b.Counts != want {
		t.Errorf("counts are %+v, want %+v", b.Counts, want)
	}
}

// TestBookAgainstModel enters random arrivals and compares with what a list of all of them says.
func TestBookAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		var b Book
		var want Counts
		sent, highest := uint32(r.IntN(20)), uint32(0)
		line, seen := b.Open(1), map[uint32]bool{}
		for range r.IntN(40) {
			if sent == 0 {
				break
			}
			seq := 1 + r.Uint32N(sent)
			b.Enter(line, seq)
			switch {
			case seen[seq]:
				want.Duplicated++
			case seq < highest:
				want.Reordered++
				want.Delivered++
			default:
				want.Delivered++
			}
			seen[seq], highest = true, max(highest, seq)
		}
		want.Lost = int64(sent) - int64(len(seen))
		b.Close(line, sent)
		if b.Counts != want {
			t.Fatalf("counts are %+v, want %+v", b.Counts, want)
		}
	}
}

func BenchmarkEnter(b *testing.B) {
	var book Book
	line, seq := book.Open(1), uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		book.Enter(line, seq)
	}
}
