// Package php writes and reads what PHP's serialize writes: the form in which Laravel keeps jobs in a queue
// and Laravel Reverb sends objects to other nodes.
//
// The append functions write one value each, or the beginning of one that holds others. [Parse] reads
// any value into Go's types, and never makes anything of a class but a [Map].
//
// Lengths are in bytes, and strings need not be UTF-8. Like package protocol it is inert: bytes in, bytes
// out.
package php
