// Package handover is what two processes say to each other when one takes over the sockets of the other,
// which is how a new binary takes the place of the running one without a client noticing.
//
// A [Conn] carries messages, each with a kind, a body and descriptors. The new process begins:
//
//	new → old   [Hello]        which version of all this it speaks
//	old → new   [Plan]         the listening sockets, and which apps there are
//	new → old   [Ready]        it has opened all that it needs
//	            from here on the old process does nothing but this
//	old → new   [Node]         what belongs to no connection
//	old → new   [Connections]  some connections with their sockets, any number of times
//	old → new   [Requests]     sockets on which HTTP is spoken
//	old → new   [End]          how many there were
//	new → old   [Adopted]      it has them all, and could serve now
//	old → new   [Go]           it does
//
// Until Go the old process can take everything back; [Failed] says why it has to. Go is also understood when the old
// process ends instead: then there is nobody else left to serve.
//
// # Encoding
//
// A type says once, in its method code, which fields it has in which order; reading and writing are the same walk.
// Every length is checked against what is there. There is no compatibility between versions: [Version] changes
// with every type here, and processes of different versions do not hand over. Only the form of a message and of
// Hello stay as they are for ever.
//
// # Not here
//
// Whose state it is: package server fills these types, and makes a server of them.
package handover
