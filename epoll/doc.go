// Package epoll watches descriptors and runs connections on an event loop, in
// three layers, each of which is usable without those above it.
//
//	┌────────────────────────────────────────────────────────────────┐
//	│ Conn, Listener, Dial   byte streams: buffered writes, limits   │
//	│ PacketConn             datagrams                               │
//	├────────────────────────────────────────────────────────────────┤
//	│ Loop                   callbacks, timers, posts from elsewhere │
//	├────────────────────────────────────────────────────────────────┤
//	│ Poller                 a set of descriptors, and a wait        │
//	└────────────────────────────────────────────────────────────────┘
//
// A [Poller] is epoll(7) as it is, with a wake-up. A [Loop] calls a function when
// a descriptor is ready, whatever kind it is, when a timer is due, and when
// another goroutine asks for it. A [Conn] is a connection on a Loop: its [Handler]
// gets the bytes that were read, where they were read to, and what it writes
// leaves in one system call when it returns. A [Group] is several Loops.
//
//	h := &epoll.Handler{
//		Data: func(c *epoll.Conn, p []byte) error {
//			_, err := c.Write(p)
//			return err
//		},
//	}
//	_, err := loop.Listen(fd, h, nil)
//	err = loop.Run(ctx)
//
// # When not to use it
//
// A goroutine for each connection and package net are simpler, and fast enough
// for most. A Loop pays where there are very many connections, where memory for
// an idle one matters, where replies to many small requests should share system
// calls, and where state is simplest with one goroutine that owns it.
// Callbacks must not block: all others wait meanwhile. The package speaks no TLS,
// parses no addresses and cuts no frames; the examples show crypto/tls, package
// net and framing.Decoder beside it.
//
// # Concurrency
//
// Everything that belongs to a Loop belongs to the goroutine that runs it, and to
// whoever sets it up before that. From other goroutines there are Post, Do, Stop and
// Len of a Loop, what a Group says of its methods, and Wake of a Poller. What
// another goroutine works out for a connection comes back by Post, with the
// connection's ID, which no other connection ever has: [Loop.Do] finds it if it is
// there still. The package starts no goroutine but in [Group.Run], logs
// nothing, and recovers no panic.
//
// # Descriptors
//
// Conn, Listener and PacketConn own their descriptors, and close them. Those of a
// Source and of a Poller stay the caller's, who removes them before closing: a
// descriptor that is shared with a child process, or another number of the same
// open file, is reported for ever otherwise. A Loop notices that and moves to a
// new epoll instance; a Poller cannot. Whatever the package opens is closed in a
// program that is executed.
//
// # Memory
//
// A Conn that has nothing to do holds no buffer. Reading takes one buffer of
// [DefaultTurn] bytes for the whole Loop. What is unsent takes up to Limits.Cap
// for each Conn whose peer does not read, in chunks of 64 KiB, and less than twice
// its size where it is little. Of the chunks that were in use, a Loop keeps 32 at
// most, which are 2 MiB. Reading stops above Limits.HighWater, so that a
// handler that answers what was read holds HighWater + Turn + Frame bytes at most.
// A datagram costs an allocation, for the address of its sender.
//
// # Waiting
//
// A goroutine that blocks in epoll_wait(2) takes a thread with it, and to wake it
// takes tens of microseconds. So a Loop parks in the runtime's network poller on
// its own epoll descriptor, which is pollable as well, and a wake-up is a
// goroutine switch. [Block] is there for programs whose other goroutines compute
// all the time, and for those with nothing but a Loop that other processes on the
// same CPUs keep waking: there the poller's bookkeeping costs more than the thread.
package epoll
