// Package uds lets processes of one host talk through AF_UNIX sockets, with the
// kernel's own semantics: streams, datagrams, and sequenced packets.
//
//	a, b, err := uds.Pair(uds.SeqPacket)
//	go a.Send(ctx, []byte("ping"))
//	buf := make([]byte, 64<<10)
//	n, err := b.Receive(ctx, buf) // buf[:n] is "ping"
//
// # Kinds
//
//	            boundaries  end of peer          a message has at most
//	Stream      none        io.EOF               –
//	SeqPacket   kept        io.EOF               SO_SNDBUF − 32 bytes
//	Datagram    kept        nobody is told       SO_SNDBUF − 32 bytes
//
// All three cost the same. SeqPacket is the one to choose for messages: it tells
// when the peer is gone. A reader of a Datagram pair whose peer died waits for
// ever, and only the next sender is refused ([ErrPeerClosed]); it needs another
// sign of life, a pidfd for one. No kind signals anything while a duplicate of the
// peer's descriptor is open somewhere, in a child process for example.
//
//	peer closed, …                    Stream             SeqPacket      Datagram
//	its messages are queued           delivered, then    delivered      delivered
//	nothing is queued: Receive        io.EOF             io.EOF         waits
//	it had not read all of ours       ErrPeerClosed      io.EOF         waits
//	Send                              ErrPeerClosed      ErrPeerClosed  ErrPeerClosed
//
// What was sent is in the peer's queue; it is lost if the peer closes without
// reading it. And a Datagram that sends to its peer after that peer's end loses what
// it has in its own queue: so receive first. There is no other loss, and no
// reordering. See unix(7).
//
// # Two styles
//
// A [Conn] belongs to goroutines: Send and Receive wait in the runtime's poller
// until there is room or a message, until their context ends, or until a deadline.
// A [Socket] belongs to an event loop: it is the descriptor with the verbs that
// never wait. Conn has these verbs too. [Conn.Detach] and [Socket.Attach] turn one
// into the other, and [Socket.Release] and [Listener.Detach] hand out the descriptor
// as such.
//
// Whether a call waits is in its name, and depends on nothing else: Send waits for
// room, and TrySend reports [ErrFull]; Receive waits for a message, and TryReceive
// reports [ErrEmpty].
//
// # When not to use it
//
// Package net is enough for streams that need nothing of the kernel but bytes. For
// many small messages the system call is what costs: package batch packs them into
// one. For messages larger than a packet there is package chunk.
//
// # Names
//
// A name is a path of at most 108 bytes, or "@" and a name in the abstract
// namespace, 107 bytes long at most, which knows no permissions and ends with its
// last descriptor. A path longer than that is an error; a shorter way to the same
// directory helps: the working directory, or /proc/self/fd/N.
//
// # Concurrency
//
// The methods of Conn and Listener may be called by any number of goroutines. A
// message goes to one of those that receive. Messages of one goroutine keep their
// order. Of those that wait to send one is first in line, and what others try to send
// goes behind it, but for SendTo and TrySendTo. On a Stream one call's bytes stay
// together. A Socket belongs to one goroutine at a time. The package starts no
// goroutine and logs nothing. Descriptors are made close-on-exec and non-blocking.
package uds
