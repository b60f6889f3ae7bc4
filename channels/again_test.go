package channels_test

import (
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// Somebody subscribes, leaves and subscribes again before the first answer: each subscribe that has not ended is
// answered once, when all of it is known.
func TestSubscribeAgainAtOnce(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann, bob := member(t, "1", "Ann"), member(t, "2", "Bob")
	c.linkedWith(bob, protocol.Snapshot{Seq: 5, Members: []protocol.Member{bob}})
	a := c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.Change(change(protocol.MemberJoined, 6, ann)) // the answer is on its way to the loop
	c.unsubscribe(a, "presence-room")
	c.waitsFor(a, "presence-room", ann)
	want(t, "the answer to the first", c.answer(a), "(not subscribed any more)")
	c.Change(change(protocol.MemberLeft, 7, ann))
	want(t, "not yet", c.answer(a), "(nothing)")
	c.Change(change(protocol.MemberJoined, 8, ann))
	want(t, "the answer to the second", c.answer(a), present("2:Bob", "1:Ann"))
	want(t, "which hears nothing of itself", c.hears(a), []string(nil))
	want(t, "and no other", c.answer(a), "(nothing)")
}

// The same, with a refusal of the first on its way: the second stays.
func TestRefusedAndSubscribedAgain(t *testing.T) {
	c := newClusterTest(t, channels.Rules{MaxMembers: 1})
	ann := member(t, "1", "Ann")
	bob := member(t, "2", "Bob")
	c.linkedWith(bob, protocol.Snapshot{Seq: 5, Members: []protocol.Member{bob}})
	a := c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.Refused("presence-room", "1")
	c.unsubscribe(a, "presence-room")
	c.waitsFor(a, "presence-room", ann)
	want(t, "the answer to the first", c.answer(a), "(not subscribed any more)")
	want(t, "subscriptions", a.subs.Len(), 1)
}

// What was asked when the last subscriber was another one says nothing about the next: it may be from before that one
// left, whom the next would then see go.
func TestAnswerToAnotherChannel(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann := member(t, "1", "Ann")
	a := c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.Heard("presence-room")
	first := c.script.asker
	c.unsubscribe(a, "presence-room")
	c.waitsFor(a, "presence-room", ann)
	c.Heard("presence-room")
	c.Linked(c.now, "presence-room", protocol.Snapshot{Asker: first, Seq: 1, Members: []protocol.Member{ann}})
	want(t, "the answer to the first", c.answer(a), "(nothing)")
	for i, kind := range []protocol.ChangeKind{protocol.MemberLeft, protocol.MemberJoined} {
		c.Change(change(kind, uint64(i+2), ann))
	}
	c.Linked(c.now, "presence-room", protocol.Snapshot{Seq: 3, Members: []protocol.Member{ann}})
	want(t, "the answer to the second", c.answer(a), present("1:Ann"))
	want(t, "which hears nothing of itself", c.hears(a), []string(nil))
}

// Who leaves and returns before the join was confirmed is a member all the time for others on this node.
func TestReturnBeforeJoinIsConfirmed(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann, bob := member(t, "1", "Ann"), member(t, "2", "Bob")
	b := c.linkedWith(bob, protocol.Snapshot{Seq: 5, Members: []protocol.Member{bob}})
	a := c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.unsubscribe(a, "presence-room")
	c.waitsFor(a, "presence-room", ann)
	for i, kind := range []protocol.ChangeKind{protocol.MemberJoined, protocol.MemberLeft, protocol.MemberJoined} {
		c.Change(change(kind, uint64(i+6), ann))
	}
	want(t, "answer", c.answer(a), present("2:Bob", "1:Ann"))
	want(t, "others hear", c.hears(b), []string{added(ann)})
	want(t, "it hears", c.hears(a), []string(nil))
}

// A message that comes late is for those only who had subscribed when it was published.
func TestLateMessage(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	before := time.Now().Add(-time.Second)
	a := c.guest()
	c.waitsFor(a, "news")
	c.Heard("news")
	c.Linked(c.now, "news", protocol.Snapshot{})
	c.answer(a)
	late := func(payload string, published time.Time) {
		c.Publish(c.now, protocol.Broadcast{Channel: "news", Payload: []byte(payload), Published: published})
	}
	late("before", before)
	late("after", time.Now())
	late("now", time.Time{})
	want(t, "heard", c.hears(a), []string{"after", "now"})
}
