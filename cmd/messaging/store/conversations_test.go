package store

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

func TestMigrateTwice(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		n, err := f.Migrate(f.ctx)
		f.check(err)
		wantEqual(t, "steps of the second migration", n, 0)
	})
}

func TestSearchUsers(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		for _, tt := range []struct {
			prefix string
			want   int
		}{{"bob é", 1}, {"BO", 1}, {"bob.", 1}, {"alice", 0}, {"ob", 0}, {"", 3}, {"%", 0}, {"_ob", 0}} {
			got, err := f.SearchUsers(f.ctx, f.id(0), tt.prefix, 20)
			f.check(err)
			wantEqual(t, "found for "+tt.prefix, len(got), tt.want)
		}
	})
}

func TestDirectConversationIsFound(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		first := f.conversation("", 0, 1)
		wantEqual(t, "asked for from the other side", f.conversation("", 1, 0), first)
		wantEqual(t, "with oneself in the list", f.conversation("", 1, 0, 1), first)
		if got := f.conversation("a title", 0, 1); got == first {
			t.Error("a group of two was taken for the direct conversation")
		}
		id, created, jobs, err := f.CreateConversation(f.ctx, domain.NewConversation{CreatedBy: f.id(1), Others: []int64{f.id(0)}, Body: "hello", At: f.now})
		f.check(err)
		wantEqual(t, "with a body", id, first)
		wantEqual(t, "created", created, false)
		wantEqual(t, "jobs", kinds(jobs), "map[BroadcastMessage:1 BroadcastSummary:2 NotifyOffline:1]")
	})
}

func TestDirectConversationRace(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ids := make([]int64, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				from, to := f.id(i%2), f.id(1-i%2)
				id, _, _, err := f.CreateConversation(f.ctx, domain.NewConversation{CreatedBy: from, Others: []int64{to}, At: f.now})
				if err != nil {
					t.Error(err)
				}
				ids[i] = id
			})
		}
		wg.Wait()
		wantEqual(t, "different conversations", len(slices.Compact(ids)), 1)
		wantEqual(t, "rows", f.count("SELECT COUNT(*) FROM conversations"), 1)
	})
}

func TestCreateConversationRefuses(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		tooMany := make([]int64, 50)
		for i := range tooMany {
			tooMany[i] = int64(1000 + i)
		}
		for name, others := range map[string][]int64{"nobody": nil, "oneself": {f.id(0)}, "a stranger": {1 << 40}, "too many": tooMany} {
			_, _, _, err := f.CreateConversation(f.ctx, domain.NewConversation{CreatedBy: f.id(0), Others: others, At: f.now})
			wantInvalid(t, name, err, "participant_ids")
		}
		wantEqual(t, "conversations", f.count("SELECT COUNT(*) FROM conversations"), 0)
	})
}

func TestConversations(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		quiet := f.conversation("quiet", 0, 1)
		f.now = f.now.Add(time.Second)
		busy := f.conversation("busy", 1, 0, 2)
		f.conversation("not alice's", 1, 2)
		f.send(busy, 1, "one")
		last := f.send(busy, 2, "two")

		list, more, err := f.Conversations(f.ctx, f.id(0), 1, 0)
		f.check(err)
		wantEqual(t, "length", len(list), 1)
		wantEqual(t, "more", more, true)
		wantEqual(t, "first", list[0].ID, busy)
		wantEqual(t, "unread", list[0].Unread, 2)
		wantEqual(t, "participants", len(list[0].Participants), 3)
		wantEqual(t, "last message", list[0].LastMessage.ID, last.ID)
		wantEqual(t, "its sender", list[0].LastMessage.Sender.Name, "Carol Émile")
		wantEqual(t, "its time", list[0].LastMessageAt.Equal(last.CreatedAt), true)

		list, more, err = f.Conversations(f.ctx, f.id(0), 1, 1)
		f.check(err)
		wantEqual(t, "more on the second page", more, false)
		wantEqual(t, "second", list[0].ID, quiet)
		wantEqual(t, "its last message", list[0].LastMessage, nil)
		wantEqual(t, "unread total", f.unreadTotal(0), 2)

		f.send(quiet, 1, "three")
		list, _, err = f.Conversations(f.ctx, f.id(0), 20, 0)
		f.check(err)
		wantEqual(t, "first after another message", list[0].ID, quiet)
		wantEqual(t, "unread total", f.unreadTotal(0), 3)
	})
}

func TestStrangersFindNothing(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("", 0, 1)
		m := f.send(c, 0, "secret")
		stranger, ctx := f.id(2), f.ctx
		for _, id := range []int64{c, c + 1000} {
			_, err := f.Conversation(ctx, stranger, id)
			wantError(t, "Conversation", err, domain.ErrNotFound)
			_, err = f.Participants(ctx, stranger, id)
			wantError(t, "Participants", err, domain.ErrNotFound)
			_, _, err = f.History(ctx, stranger, id, 0, 10)
			wantError(t, "History", err, domain.ErrNotFound)
			_, err = f.Delta(ctx, domain.DeltaQuery{ConversationID: id, UserID: stranger, Limit: 10})
			wantError(t, "Delta", err, domain.ErrNotFound)
			_, err = f.Send(ctx, domain.NewMessage{ConversationID: id, SenderID: stranger, Body: "x", At: f.now})
			wantError(t, "Send", err, domain.ErrNotFound)
			_, err = f.Send(ctx, domain.NewMessage{ConversationID: id, SenderID: stranger, Body: "x", UUID: m.UUID, At: f.now})
			wantError(t, "Send with another's uuid", err, domain.ErrNotFound)
			_, _, err = f.Change(ctx, domain.Change{ConversationID: id, MessageID: m.ID, UserID: stranger, Body: "x", At: f.now})
			wantError(t, "Change", err, domain.ErrNotFound)
			_, _, _, err = f.MarkRead(ctx, domain.Read{ConversationID: id, UserID: stranger, MessageID: m.ID, At: f.now})
			wantError(t, "MarkRead", err, domain.ErrNotFound)
			wantError(t, "SetMuted", f.SetMuted(ctx, stranger, id, &f.now), domain.ErrNotFound)
		}
		// By way of a conversation of one's own.
		own := f.conversation("", 2, 3)
		_, _, err := f.Change(ctx, domain.Change{ConversationID: own, MessageID: m.ID, UserID: stranger, Body: "x", At: f.now})
		wantError(t, "Change through another conversation", err, domain.ErrNotFound)
		_, err = f.Message(ctx, own, m.ID)
		wantError(t, "Message through another conversation", err, domain.ErrNotFound)
		_, _, _, err = f.MarkRead(ctx, domain.Read{ConversationID: own, UserID: stranger, MessageID: m.ID, At: f.now})
		wantInvalid(t, "MarkRead through another conversation", err, "message_id")
		_, err = f.Send(ctx, domain.NewMessage{ConversationID: own, SenderID: stranger, Body: "x", UUID: m.UUID, At: f.now})
		wantInvalid(t, "Send with another's uuid", err, "uuid")
	})
}

func TestWhoLeftIsAStranger(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("group", 0, 1, 2)
		_, err := f.exec(f.ctx, "UPDATE conversation_participants SET left_at = ? WHERE user_id = ?", f.now, f.id(2))
		f.check(err)
		f.send(c, 0, "not for carol")
		_, err = f.Conversation(f.ctx, f.id(2), c)
		wantError(t, "Conversation", err, domain.ErrNotFound)
		wantEqual(t, "unread total", f.unreadTotal(2), 0)
		list, err := f.Participants(f.ctx, f.id(0), c)
		f.check(err)
		wantEqual(t, "participants", len(list), 2)
	})
}
