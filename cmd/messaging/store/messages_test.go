package store

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

func TestSendIsIdempotent(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("", 0, 1)
		other := f.conversation("", 0, 2)
		n := domain.NewMessage{ConversationID: c, SenderID: f.id(0), Body: "hi 👋", ClientTempID: "t1", UUID: newUUID(), SocketID: "1.2", At: f.now}
		first, err := f.Send(f.ctx, n)
		f.check(err)
		wantEqual(t, "stored", first.Stored, true)
		wantEqual(t, "body", first.Message.Body, "hi 👋")
		wantEqual(t, "jobs", kinds(first.Jobs), "map[BroadcastMessage:1 BroadcastSummary:2 NotifyOffline:1]")

		for name, again := range map[string]domain.NewMessage{
			"both":              n,
			"the same uuid":     {ConversationID: c, SenderID: f.id(0), Body: "other", UUID: n.UUID, At: f.now},
			"the same temp id":  {ConversationID: c, SenderID: f.id(0), Body: "other", ClientTempID: "t1", At: f.now},
			"temp id, new uuid": {ConversationID: c, SenderID: f.id(0), Body: "other", ClientTempID: "t1", UUID: newUUID(), At: f.now},
		} {
			got, err := f.Send(f.ctx, again)
			f.check(err)
			wantEqual(t, name+": stored", got.Stored, false)
			wantEqual(t, name+": id", got.Message.ID, first.Message.ID)
			wantEqual(t, name+": body", got.Message.Body, "hi 👋")
			wantEqual(t, name+": jobs", len(got.Jobs), 0)
		}
		_, err = f.Send(f.ctx, domain.NewMessage{ConversationID: other, SenderID: f.id(0), Body: "x", ClientTempID: "t1", At: f.now})
		wantInvalid(t, "the temp id in another conversation", err, "client_temp_id")
		_, err = f.Send(f.ctx, domain.NewMessage{ConversationID: c, SenderID: f.id(1), Body: "x", UUID: n.UUID, At: f.now})
		wantInvalid(t, "another's uuid", err, "uuid")
		got, err := f.Send(f.ctx, domain.NewMessage{ConversationID: c, SenderID: f.id(1), Body: "x", ClientTempID: "t1", At: f.now})
		f.check(err)
		wantEqual(t, "another's temp id: stored", got.Stored, true)
		wantEqual(t, "messages", f.count("SELECT COUNT(*) FROM messages"), 2)
		wantEqual(t, "bob's unread", f.unreadTotal(1), 1)
	})
}

func TestSendRace(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		conversations := []int64{f.conversation("", 0, 1), f.conversation("", 0, 2)}
		const names, tries = 4, 4
		var wg sync.WaitGroup
		for i := range names * tries {
			wg.Go(func() {
				n := domain.NewMessage{ConversationID: conversations[i%2], SenderID: f.id(0), Body: "x", ClientTempID: fmt.Sprintf("t%d", i%names), At: f.now}
				if _, err := f.Send(f.ctx, n); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantEqual(t, "messages", f.count("SELECT COUNT(*) FROM messages"), names)
		wantEqual(t, "bob's and carol's unread", f.unreadTotal(1)+f.unreadTotal(2), names)
	})
}

// A client asks for what comes after the last id it knows. So no id may become visible after a larger one.
func TestMessagesAppearInTheOrderOfTheirIDs(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("group", 0, 1, 2, 3)
		const perSender = 25
		var senders sync.WaitGroup
		done := make(chan struct{})
		for sender := range 4 {
			senders.Go(func() {
				for range perSender {
					if _, err := f.Send(f.ctx, domain.NewMessage{ConversationID: c, SenderID: f.id(sender), Body: "x", At: f.now}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		go func() {
			senders.Wait()
			close(done)
		}()
		seen, after := 0, int64(0)
		for ended := false; ; {
			d, err := f.Delta(f.ctx, domain.DeltaQuery{ConversationID: c, UserID: f.id(0), AfterMessage: after, Limit: 500})
			f.check(err)
			for _, m := range d.Messages {
				seen, after = seen+1, m.ID
			}
			if ended && len(d.Messages) == 0 {
				break
			}
			select {
			case <-done:
				ended = true
			default:
			}
		}
		wantEqual(t, "messages seen by following the ids", seen, 4*perSender)
	})
}

func TestHistory(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("", 0, 1)
		var sent []domain.Message
		for i := range 5 {
			sent = append(sent, f.send(c, i%2, fmt.Sprint("m", i)))
		}
		got, more, err := f.History(f.ctx, f.id(1), c, 0, 2)
		f.check(err)
		wantEqual(t, "newest", bodies(got), "[m3 m4]")
		wantEqual(t, "more", more, true)
		got, more, err = f.History(f.ctx, f.id(1), c, sent[3].ID, 3)
		f.check(err)
		wantEqual(t, "before m3", bodies(got), "[m0 m1 m2]")
		wantEqual(t, "more", more, false)
	})
}

func bodies(list []domain.Message) string {
	texts := []string{}
	for _, m := range list {
		if m.DeletedAt != nil {
			m.Body = "(deleted)"
		}
		texts = append(texts, m.Body)
	}
	return fmt.Sprint(texts)
}

func TestChange(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("group", 0, 1, 2)
		m := f.send(c, 0, "one")
		f.send(c, 1, "two")

		_, _, err := f.Change(f.ctx, domain.Change{ConversationID: c, MessageID: m.ID, UserID: f.id(1), Body: "mine", At: f.now})
		wantError(t, "another's message", err, domain.ErrForbidden)

		got, jobs, err := f.Change(f.ctx, domain.Change{ConversationID: c, MessageID: m.ID, UserID: f.id(0), Body: "one!", At: f.now})
		f.check(err)
		wantEqual(t, "body", got.Body, "one!")
		wantEqual(t, "edited", got.EditedAt != nil, true)
		wantEqual(t, "jobs", kinds(jobs), "map[BroadcastMessage:1]")
		_, jobs, err = f.Change(f.ctx, domain.Change{ConversationID: c, MessageID: m.ID, UserID: f.id(0), Body: "one!", At: f.now})
		f.check(err)
		wantEqual(t, "jobs of the same again", len(jobs), 0)

		wantEqual(t, "carol's unread before", f.unreadTotal(2), 2)
		got, jobs, err = f.Change(f.ctx, domain.Change{ConversationID: c, MessageID: m.ID, UserID: f.id(0), At: f.now})
		f.check(err)
		wantEqual(t, "body of what is deleted", got.Body, "")
		wantEqual(t, "deleted", got.DeletedAt != nil, true)
		wantEqual(t, "jobs", kinds(jobs), "map[BroadcastMessage:1 BroadcastSummary:3]")
		wantEqual(t, "carol's unread after", f.unreadTotal(2), 1)
		_, jobs, err = f.Change(f.ctx, domain.Change{ConversationID: c, MessageID: m.ID, UserID: f.id(0), At: f.now})
		f.check(err)
		wantEqual(t, "jobs of deleting again", len(jobs), 0)
		wantEqual(t, "carol's unread then", f.unreadTotal(2), 1)
		_, _, err = f.Change(f.ctx, domain.Change{ConversationID: c, MessageID: m.ID, UserID: f.id(0), Body: "back", At: f.now})
		wantError(t, "editing what is deleted", err, domain.ErrNotFound)
	})
}

func TestDelta(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("", 0, 1)
		m1, m2, m3 := f.send(c, 0, "m1"), f.send(c, 0, "m2"), f.send(c, 1, "m3")
		f.change(m1, "m1 early")
		m4 := f.send(c, 0, "m4")
		f.change(m2, "m2 late")
		f.change(m3, "")
		m5 := f.send(c, 0, "m5")
		f.change(m5, "m5 edited")
		f.read(c, 1, m4.ID)

		d := f.delta(domain.DeltaQuery{ConversationID: c, UserID: f.id(1), AfterMessage: m4.ID, Limit: 10})
		wantEqual(t, "after m4", bodies(d.Messages), "[m5 edited]")
		wantEqual(t, "changed since m4 was sent", bodies(d.Changed), "[m2 late (deleted)]")
		wantEqual(t, "unread", d.Unread, 1)
		wantEqual(t, "markers", len(d.Markers), 2)
		wantEqual(t, "bob's marker", d.Markers[1].MessageID, m4.ID)

		zero := int64(0)
		d = f.delta(domain.DeltaQuery{ConversationID: c, UserID: f.id(1), AfterMessage: m5.ID, AfterChange: &zero, Limit: 2})
		wantEqual(t, "first changes", bodies(d.Changed), "[m1 early m2 late]")
		wantEqual(t, "more", d.MoreChanged, true)
		d = f.delta(domain.DeltaQuery{ConversationID: c, UserID: f.id(1), AfterMessage: m5.ID, AfterChange: &d.ChangeID, Limit: 2})
		wantEqual(t, "next changes", bodies(d.Changed), "[(deleted) m5 edited]")
		wantEqual(t, "more", d.MoreChanged, false)
		d = f.delta(domain.DeltaQuery{ConversationID: c, UserID: f.id(1), AfterMessage: m5.ID, AfterChange: &d.ChangeID, Limit: 2})
		wantEqual(t, "no changes", bodies(d.Changed), "[]")

		d = f.delta(domain.DeltaQuery{ConversationID: c, UserID: f.id(0), Limit: 2})
		wantEqual(t, "from the start", bodies(d.Messages), "[m1 early m2 late]")
		wantEqual(t, "more", d.MoreMessage, true)
		wantEqual(t, "changes of what is unknown", bodies(d.Changed), "[]")
	})
}

func (f *fixture) delta(q domain.DeltaQuery) domain.Delta {
	f.t.Helper()
	d, err := f.Delta(f.ctx, q)
	f.check(err)
	return d
}

func TestMarkRead(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("group", 0, 1, 2)
		m1, m2 := f.send(c, 0, "m1"), f.send(c, 1, "m2")
		m3 := f.send(c, 0, "m3")
		marker, unread, jobs := f.read(c, 1, m1.ID)
		wantEqual(t, "marker", marker.MessageID, m1.ID)
		wantEqual(t, "read at", marker.At.Equal(f.now), true)
		wantEqual(t, "unread", unread, 1)
		wantEqual(t, "jobs", kinds(jobs), "map[BroadcastRead:1 BroadcastSummary:1]")

		_, unread, _ = f.read(c, 1, m3.ID)
		wantEqual(t, "unread", unread, 0)
		wantEqual(t, "receipts", f.count("SELECT COUNT(*) FROM message_reads WHERE user_id = ?", f.id(1)), 2)
		wantEqual(t, "receipts of one's own", f.count("SELECT COUNT(*) FROM message_reads WHERE user_id = ? AND message_id = ?", f.id(1), m2.ID), 0)

		marker, unread, jobs = f.read(c, 1, m1.ID)
		wantEqual(t, "marker after an older one", marker.MessageID, m3.ID)
		wantEqual(t, "unread", unread, 0)
		wantEqual(t, "jobs", len(jobs), 0)
		wantEqual(t, "carol's unread", f.unreadTotal(2), 3)
	})
}

func TestMarkersRace(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("", 0, 1)
		var ids []int64
		for range 20 {
			ids = append(ids, f.send(c, 0, "x").ID)
		}
		last := ids[len(ids)-1]
		rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		var wg sync.WaitGroup
		for device := range 2 {
			wg.Go(func() {
				for i := device; i < len(ids); i += 2 {
					if _, _, _, err := f.MarkRead(f.ctx, domain.Read{ConversationID: c, UserID: f.id(1), MessageID: ids[i], At: f.now}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		people, err := f.Participants(f.ctx, f.id(1), c)
		f.check(err)
		wantEqual(t, "marker", people[1].LastReadID, last)
		wantEqual(t, "receipts", f.count("SELECT COUNT(*) FROM message_reads"), len(ids))
		wantEqual(t, "unread", f.unreadTotal(1), 0)
	})
}
