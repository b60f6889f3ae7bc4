// Package bridge lets nodes of Laravel Reverb and of reverb-go serve the same apps through one Redis, so that a
// cluster that is in use can be replaced node by node.
//
// A [Broker] is a [scaling.Redis] that besides speaks on Reverb's own channel. Nodes of Laravel Reverb find there
// what they would find if all others were like them.
//
// # Once
//
// Between nodes of reverb-go messages go their own way, with everything that package scaling promises. On
// Reverb's channel each message is published once, by the node it was given to, and each node of reverb-go
// that hears one of Laravel Reverb there delivers it to its own clients only. So that it does not deliver
// what it has had already, every message of ours ends with a field that Laravel Reverb never looks at:
// "from", with the prefix of our keys in Redis. A node ignores messages with its own prefix, whichever node
// they are of. Two clusters of reverb-go with different prefixes are strangers, and bridged like Laravel Reverb.
//
// # On and off
//
// All nodes of reverb-go subscribe to two channels in one command: Reverb's, and one of their own on which nobody
// ever says anything. The difference between the two numbers of subscribers is the number of others on Reverb's
// channel, exactly and at any moment. Auto asks for it every few seconds. Subscribed it is all the
// time, so that nothing is missed that Laravel Reverb says; but only while there are others does it publish.
// To hear something from them counts as well.
//
// # What the other side can say
//
// Events, client events, terminate, and four questions: for connections, channels, one channel, and the users of a
// channel. A node that is asked answers for its own connections. A question of ours waits for as many answers
// as there are others, but not longer than Options.Timeout, and never on an event loop. Membership in presence
// channels is no part of it: the list a client gets when it joins, and member_added and member_removed, are of
// one side only, while the answers of the HTTP API are of both.
//
// # What must not be said
//
// A node of Laravel Reverb exits when it reads something that it does not expect. Whatever is published here was
// made from values, not passed through; the frame of an event holds strings only, so nothing is nested, and
// no number can be too large. The one message that is dangerous even if it is right is terminate: it ends every node
// on which some connection has no user. Before it is sent the others are asked for their channels: unless all
// of them answer, and have nothing but presence channels, the message is withheld, and that is logged.
//
// # Goroutines
//
// One receives and delivers, one sends, one answers questions, one counts. All end with Stop.
package bridge
