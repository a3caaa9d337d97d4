// Package socket serves one request per connection: the client sends a length and a
// body, the server answers in the same form, and the connection ends. It is the
// simplest way for programs in any language to have workers do something.
//
//	request, and reply if there is one:
//
//	0                   4
//	+-------------------+----------------------
//	| length, big-endian| body of that length
//	+-------------------+----------------------
//
// Any number of workers may accept from one listener. Each serves one connection at
// a time, so that the backlog of the listener is the queue, and whoever is free
// takes the next.
//
// A body that is not whole is not delivered, whatever the peer does. A length of 0,
// or of more than Server.Max, and a peer that is slower than Server.Timeout, cost
// their own connection, and nothing else.
//
// When not to use it: for more than one request on a connection there are package
// framing, with lengthfield, and net or epoll.
//
// Serve runs in the caller's goroutine, and starts no other. The package logs nothing.
package socket
