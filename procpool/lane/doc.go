// Package lane carries requests to a worker and its replies back, many in one write,
// over a private pair of stream sockets.
//
// Both directions have records, of a header and up to Piece bytes. A message is one
// record, or several in a row, all but the last with the flag that more follow, so
// that a receiver's memory follows what has arrived:
//
//	0      4      5       6        8          16         24           4+size
//	+------+------+-------+--------+----------+----------+--------------+
//	| size | kind | flags | unused |    id    |   tag    |   payload    |
//	+------+------+-------+--------+----------+----------+--------------+
//	       |<---------------------------- size ------------------------>|
//
// Numbers are little endian. A request goes to the worker, and a reply or a failure
// comes back with its id; a call comes from the worker, and a return or a refusal goes
// back. An end tells the worker that nothing follows. Ids of a lane count from 0, each direction
// by itself, and the tag is whatever the sender of a message wants to tell beside it.
//
// [Server] is the worker's side, and [Client] its calls; package dispatch has the
// other side. What a peer writes is checked: a length out of range, a kind that does
// not belong there, a message that is too long or not finished are errors, and end
// the lane. What is half written when a process dies dies with the pair.
//
// # What has begun
//
// A Server counts the requests that it begins in a word of shared memory, which
// whoever has the other end reads when the worker is dead: it knows then what had
// begun, without having been told. Replies are collected, and sent when no more
// requests are in hand, or 256 KiB are collected, and before another request begins
// when 100 µs of work are not sent: that is what a crash can cost besides the request
// in hand.
//
// # When not to use it
//
// For messages among processes that are not master and worker there are packages uds
// and inbox.
//
// # Concurrency
//
// A Server starts goroutines for its handlers if they are to be several, and says
// so. A Client may be used by several goroutines at a time. All else belongs to one.
package lane
