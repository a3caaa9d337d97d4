// Package reuseport makes several listening sockets on one TCP address, so that each
// worker has one of its own, and the kernel decides who gets a connection.
//
//	listeners, err := reuseport.Listen(ctx, "tcp", ":8080", workers)
//	…procpool.Group{Count: workers, Slot: func(slot int) map[string]syscall.Conn {
//		return map[string]syscall.Conn{"listener": listeners[slot]}
//	}}
//
// The kernel chooses by a hash of the addresses, see SO_REUSEPORT in socket(7). One
// listener that all workers share, which is the other way, gives a connection to a
// worker that is free to take it. So this is better where accepting itself is the
// bottleneck, and worse where some connections take much longer than others: one that
// is at the socket of a busy worker waits for it.
//
// The manager keeps all sockets open as long as the service lives, and workers come
// and go with the socket of their slot: connections wait in it for the successor.
// When the last descriptor of one of the sockets is closed, the connections that wait
// in it are reset (unless net.ipv4.tcp_migrate_req is set, Linux 5.14), although
// others could take them. For the same reason the number of sockets is fixed.
//
// Any process of the same user may listen on the address beside these, and gets a
// share of the connections.
package reuseport
