// Package setup writes files for the programs around a server: what starts it, and what stands before it.
//
// [Write] fills one of the templates, which are called after the program they are for, with a [Site].
//
// # Rules
//
// No file has a secret in it: secrets stay where the configuration has them, or are taken from a store that the
// file names. What cannot be known, such as where a certificate is, is written as it usually is, with a comment.
//
// # Not here
//
// Nothing is installed, and no file is written: who calls prints the text.
package setup
