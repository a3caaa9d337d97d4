// Package sysvmsg sends and receives messages through System V message queues,
// which belong to the kernel and outlive every process that uses them.
//
//	key, err := sysvmsg.FileKey("/var/lib/app/tasks", 'T')
//	q, err := sysvmsg.Open(key, nil)
//	err = q.Send(ctx, 1, []byte("resize 17.png"))
//
//	buf := make([]byte, 8192)
//	n, t, err := q.Receive(ctx, sysvmsg.Any(), buf) // buf[:n], of type t
//
// A message is a [Type], which is a number above 0, and up to 8192 bytes. Those of
// one type keep their order; a receiver chooses by type with a [Selector]. A message
// goes to one receiver. See sysvipc(7) and msgop(2).
//
//	limit                          sysctl           default  beyond it
//	bytes of a message             kernel.msgmax       8192  ErrTooLarge
//	bytes of a queue               kernel.msgmnb      16384  Send waits, TrySend: ErrFull
//	messages of a queue            as many as bytes          the same
//	queues of an IPC namespace     kernel.msgmni      32000  Open: ENOSPC
//
// # When not to use it
//
// The package is for messages that must survive a restart of all who handle them,
// and for producers and consumers that need not know of each other. Between
// processes that live at the same time a socket pair (package uds) is as fast, ends
// when they do, works with epoll, and has room for more than 16 KiB. A queue does
// not survive a reboot: what must, belongs in a file or a database. There is no
// descriptor, so a queue cannot be watched by an event loop; a goroutine that
// receives and posts to the loop does that.
//
// # What is promised
//
// At most once: a message is gone from the queue when it has been received. If the
// receiver dies before it has dealt with it, that message is lost, and no other. A
// receive that was cancelled has consumed nothing.
//
// A full queue blocks senders of all types, whatever its receivers wait for. Two
// processes that send requests and replies through one queue can wait for each
// other for ever: have one queue for each direction.
//
// # Lifetime
//
// A queue stays, with its messages, until somebody calls [Queue.Remove] or the
// machine restarts. Nothing removes it when the last user ends, a [Private] queue
// neither. [Queue.Created] and [Queue.Stat] tell whether there are messages of an
// earlier run. Package envelope tells such, and those of strangers, from one's own.
//
// A Queue holds a number, and nothing that could be closed. The kernel gives a
// number again only after tens of thousands of other queues have been created and
// removed, but then it may be a stranger's: do not keep a Queue whose queue has been
// removed. Methods report [ErrRemoved] until then.
//
// # Waiting
//
// A goroutine that waits in the kernel takes a thread with it. At most [MaxBlocked]
// do so at any time; further callers wait for a place, and look at their queue
// every ten milliseconds meanwhile. So one goroutine that receives, and hands out by
// a channel, is better than many that receive.
//
// A context that ends interrupts the thread with SIGURG, the signal that the Go
// runtime uses itself, until the thread has noticed. For that the runtime must handle
// the signal: after signal.Ignore(SIGURG) nothing can be cancelled. The package keeps
// the contexts that were last waited with, [MaxBlocked] at most, each until it ends
// or another takes its place: waiting again with the same one allocates nothing.
//
// # Concurrency
//
// All functions and methods may be called from any number of goroutines. The
// package logs nothing, and starts no goroutine but by context.AfterFunc: one that
// interrupts has ended when the call returns. A context with a Done channel of its
// own, which package context has not made, costs a goroutine while it is kept.
package sysvmsg
