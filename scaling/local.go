package scaling

import "github.com/reverb-go/reverb-go/protocol"

// Local is the broker of a single node: what is published is delivered at once, by the publisher's
// own goroutine.
type Local struct {
	node Node
}

// NewLocal returns a broker that needs Start before its first message.
func NewLocal() *Local { return &Local{} }

// Start says where messages go. It must be called once, before any Publish.
func (l *Local) Start(node Node) { l.node = node }

// Publish delivers the message before it returns. b.Payload is not kept.
func (l *Local) Publish(b protocol.Broadcast) { l.node.Deliver(b) }
