// Package chunk sends messages that are larger than a packet: in as few packets as
// the connection allows, which the receiver puts together again.
//
//	w := chunk.NewWriter(conn, nil)
//	err := w.Send(ctx, message)
//
//	r := chunk.NewReader(peer, nil)
//	message, err := r.Receive(ctx) // valid until the next call
//
// A message that fits is sent as one packet, which is the fastest way up to 1 MiB.
// How large a packet may be depends on SO_SNDBUF: 208 KiB by default, and more after
// SetBuffers of uds.Conn, if net.core.wmem_max allows it. Other messages are sent in
// chunks of 64 KiB, because the kernel wants contiguous memory for larger packets,
// and may have none.
//
// # Format
//
// Each packet is a header and a part of the message. All numbers are big-endian.
//
//	0       2         3          4       8        12      16       24
//	+-------+---------+----------+-------+--------+-------+--------+------
//	| magic | version | reserved | total | offset |  id   | sender | part …
//	| 7063  |   01    |    00    |       |        |       |        |
//	+-------+---------+----------+-------+--------+-------+--------+------
//
//	total   the length of the message
//	offset  where in the message the part belongs
//	id      the message, among those of its sender: the next one has the next id
//	sender  the Writer: 64 random bits
//
// A part is never empty, but that of an empty message. The parts of a message follow
// each other without a gap, and a sender sends one message after the other. Between
// them there may be packets of other senders.
//
// # What is lost
//
// The kernel delivers what it has accepted, in the order of each sender. So a message
// is lost only with its sender, or with the rest of it: the sender died, its Send was
// canceled, or its packets were read by somebody else or by a receiver that is gone.
// The beginning of such a message, if it has come, is dropped when the sender begins
// another one, or after a time; an end without a beginning is an orphan, and dropped
// at once. [Stats] counts everything that was dropped.
//
// # Memory
//
// A peer cannot make a [Reassembler] allocate what it has not sent. The memory of a
// message grows with what has arrived of it, to at most twice as much, unless it is
// memory that an earlier message has left. All incomplete messages together take at
// most Limits.Pending bytes. Besides, there is what is kept for the next message, of
// Limits.Spare bytes at most, and while the memory of a message grows, its old one. The
// message that was returned is the caller's to forget.
//
// # When not to use it
//
// On a stream there is package lengthfield: packets that a stream glues together are
// malformed here. One large buffer that several processes
// need, or that is used in place, is better passed as a descriptor of a memfd: see
// SendFDs of uds.Conn.
//
// Senders are told apart by what they say. This protects nobody against a sender who
// says that he is another one: who may write to the socket must be trusted as far as
// that.
//
// # Two styles
//
// [Writer] and [Reader] wait, and belong to goroutines. [TryWriter] and [TryReader],
// which they contain, never wait, and belong to event loops. The connection is
// anything with the methods that they need: a *uds.Conn of a kind that keeps
// boundaries has all of them, and a *uds.Socket has those that never wait. A
// Reassembler is the receiving half without a connection.
//
// # Concurrency
//
// A value of this package is for one goroutine at a time. Any number of Writers may
// send to one Reader, be it through one connection or several. The package starts no
// goroutine and logs nothing.
package chunk
