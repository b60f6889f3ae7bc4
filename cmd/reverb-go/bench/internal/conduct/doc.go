// Package conduct leads crews through a test of one server, looks at the server meanwhile, and gathers
// what they found.
//
// [Run] is the whole of it. A crew is a goroutine of this process, or with several of them a process each,
// so that neither the limit of open files nor one runtime is in the way. Everything has a deadline: a test
// ends by itself, whatever the server does.
package conduct
