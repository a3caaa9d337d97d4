// Package page is memory that processes share, as counters: what one writes, all
// others read, without a system call, and it is there as long as anybody has it.
//
//	p, err := page.New(64)
//	p.Words()[0].Add(1)
//	…Command{Files: map[string]syscall.Conn{"page": p}} // in the parent
//
//	f, err := child.File("page") // in the child
//	p, err := page.FromFile(f)
//
// The memory is a file without a name, see memfd_create(2), of a size that nobody
// can change: it is sealed, so that no process can take the memory away from under
// another one. What the others write is theirs: a reader must not trust it further
// than it trusts them.
//
// When not to use it: for messages, which have a beginning and an end, there is
// package uds.
//
// The words are atomic, and may be used by any number of goroutines and processes.
// Close must not be called while they are.
package page
