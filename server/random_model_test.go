package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// A visitor is a client and what it knows.
type visitor struct {
	client
	world   *world
	in      map[string]*stay // by channel
	joining *stay            // waits for the answer to its subscribe
	marker  map[string]int   // the last marker heard on each channel
}

// A stay is the time from a subscribe to its end.
type stay struct {
	channel, user string
	from          map[source]int // nothing before these may be heard: it was over
	since         map[source]int // all from these on must be
	heard         []message      // since the last rest
	present       map[string]bool
}

type message struct {
	source
	number int
}

// published is how many messages of each source to a channel there are.
func (w *world) published(channel string) map[source]int {
	counts := make(map[source]int)
	for from, log := range w.logs {
		if from.channel == channel {
			counts[from] = len(log)
		}
	}
	return counts
}

// says compresses now and then, if that was negotiated.
func (v *visitor) says(text string) {
	if v.deflates && v.world.random.IntN(2) == 0 {
		v.write(deflatedFrame(text))
		return
	}
	v.frame(ws.OpText, true, []byte(text))
}

// hearAll hears all that the server had to say to the visitor when it had read what the visitor has said.
func (v *visitor) hearAll() {
	v.settle()
	for len(v.unheard) > 0 {
		v.hear(v.next())
	}
}

func (v *visitor) hearUntil(isSo func() bool) {
	for !isSo() {
		if v.over {
			v.world.t.Fatalf("%s is disconnected", v.name)
		}
		v.hear(v.next())
	}
}

// hear takes one thing that the visitor hears.
func (v *visitor) hear(text string) {
	var m struct{ Event, Channel, Data string }
	if message, isDeflated := strings.CutPrefix(text, heardDeflated); isDeflated {
		v.world.deflated++
		text = message
	}
	if strings.HasPrefix(text, "(closed 1000") {
		return
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		v.world.t.Fatalf("%s hears %s", v.name, text)
	}
	s := v.in[m.Channel]
	if m.Event == "pusher_internal:subscription_succeeded" && s == nil && v.joining != nil && v.joining.channel == m.Channel {
		v.joins(m.Data)
		return
	}
	if s == nil {
		v.world.t.Errorf("%s is not in %s and hears %s", v.name, m.Channel, text)
		return
	}
	switch m.Event {
	case "client-said", "told":
		v.hearMessage(s, m.Data)
	case "pusher_internal:member_added":
		v.hearMember(s, m.Data, true)
	case "pusher_internal:member_removed":
		v.hearMember(s, m.Data, false)
	default:
		v.world.t.Errorf("%s hears %s", v.name, text)
	}
}

func (v *visitor) joins(data string) {
	s := v.joining
	v.joining = nil
	var list struct{ Presence struct{ IDs []string } }
	if err := json.Unmarshal([]byte(data), &list); err != nil {
		v.world.t.Fatal(err)
	}
	s.present = make(map[string]bool)
	for _, id := range list.Presence.IDs {
		s.present[id] = true
	}
	if strings.HasPrefix(s.channel, "presence-") && !s.present[s.user] {
		v.world.t.Errorf("%s is not in its own list of %s: %s", v.name, s.channel, data)
	}
	v.in[s.channel] = s
}

func (v *visitor) hearMessage(s *stay, data string) {
	var m message
	if _, err := fmt.Sscan(data, &m.publisher, &m.number); err != nil {
		v.world.t.Fatalf("%s hears %q: %v", v.name, data, err)
	}
	if m.publisher == "marker" {
		v.marker[s.channel] = m.number
		return
	}
	m.channel = s.channel
	s.heard = append(s.heard, m)
}

func (v *visitor) hearMember(s *stay, data string, comes bool) {
	var m struct {
		ID string `json:"user_id"`
	}
	if err := json.Unmarshal([]byte(data), &m); err != nil {
		v.world.t.Fatal(err)
	}
	if s.present[m.ID] == comes {
		v.world.t.Errorf("%s hears of %s in %s coming (%t) twice", v.name, m.ID, s.channel, comes)
	}
	if comes {
		s.present[m.ID] = true
	} else {
		delete(s.present, m.ID)
	}
}

// leaves ends a stay: what was on its way may be missing, but nothing before it.
func (v *visitor) leaves(s *stay) {
	delete(v.in, s.channel)
	v.check(s, nil)
}

// check looks whether the messages of each publisher were heard once, in order and without gaps. With end, all
// up to there must have been.
func (v *visitor) check(s *stay, end map[source]int) {
	heard := make(map[source][]int)
	for _, m := range s.heard {
		heard[m.source] = append(heard[m.source], m.number)
	}
	for from, numbers := range heard {
		if first := numbers[0]; first < s.from[from] {
			v.world.t.Errorf("%s hears message %d of %v, from before it came: %d", v.name, first, from, s.from[from])
		}
	}
	for from, log := range v.world.logs {
		if from.channel != s.channel {
			continue
		}
		numbers := heard[from]
		if end == nil && len(numbers) == 0 {
			continue // it left before the first
		}
		first, last := s.since[from], end[from]
		if len(numbers) > 0 {
			first = min(first, numbers[0])
			if end == nil {
				last = numbers[len(numbers)-1] + 1
			}
		}
		var want []int
		for n := first; n < min(last, len(log)); n++ {
			if log[n] != v.id {
				want = append(want, n)
			}
		}
		if !slices.Equal(numbers, want) {
			v.world.t.Errorf("%s heard messages %v of %v, want %v", v.name, numbers, from, want)
		}
	}
}

// rest waits until everything has been heard, and looks whether it is what had to be.
func (w *world) rest() {
	for _, v := range w.visitors {
		v.hearAll() // what it said is handed on
	}
	w.markers++
	for _, channel := range randomChannels {
		w.api(channel, fmt.Sprintf("marker %d", w.markers), "")
	}
	w.counts = make(map[source]int)
	for _, channel := range randomChannels {
		maps.Copy(w.counts, w.published(channel))
	}
	for _, v := range w.visitors {
		v.hearUntil(func() bool {
			for channel := range v.in {
				if v.marker[channel] != w.markers {
					return false
				}
			}
			return true
		})
	}
	for _, channel := range randomChannels {
		w.checkChannel(channel)
	}
}

func (w *world) checkChannel(channel string) {
	present := make(map[string]bool)
	var stays []*stay
	for _, v := range w.visitors {
		if s := v.in[channel]; s != nil {
			v.check(s, w.counts)
			stays = append(stays, s)
			present[s.user] = strings.HasPrefix(channel, "presence-")
		}
	}
	maps.DeleteFunc(present, func(_ string, isPresence bool) bool { return !isPresence })
	for _, s := range stays {
		if !maps.Equal(s.present, present) {
			w.t.Errorf("%s is believed to have the members %v, want %v", channel, s.present, present)
		}
		w.checkOrder(stays[0], s)
	}
	for _, s := range stays {
		s.heard, s.from, s.since = nil, w.counts, w.counts
	}
}

// checkOrder looks whether two subscribers have heard what both heard in one order.
func (w *world) checkOrder(a, b *stay) {
	common := func(of, with []message) (list []message) {
		for _, m := range of {
			if slices.Contains(with, m) {
				list = append(list, m)
			}
		}
		return list
	}
	if x, y := common(a.heard, b.heard), common(b.heard, a.heard); !slices.Equal(x, y) {
		w.t.Errorf("two subscribers of %s have heard\n%v and\n%v", a.channel, x, y)
	}
}

// awaitConnections waits until the server has noticed who is gone.
func (w *world) awaitConnections(n int) {
	want := fmt.Sprintf(`200 {"connections":%d}`, n)
	for end := time.Now().Add(patience); ; {
		r := request{method: "GET", path: "/apps/1/connections"}
		w.on.sign(&r)
		got, err := w.on.send(r)
		switch {
		case err == nil && got.String() == want:
			return
		case time.Now().After(end):
			w.t.Fatalf("connections: %v, %v, want %s", got, err, want)
		}
	}
}
