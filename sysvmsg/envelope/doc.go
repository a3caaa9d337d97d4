// Package envelope tells an application's own, fresh and whole messages from what
// else a System V queue may hold, and puts the rest in quarantine.
//
// A queue outlives every process. Whoever opens it may find what a former version
// of the program has left there, what another program has sent that came to the
// same key, a task of last week, or bytes that were never meant as a message. An
// envelope is 32 bytes before the payload, big-endian, by which a reader knows:
//
//	 0        4         5          6        8         12         16     24    28      32
//	+--------+---------+----------+--------+---------+----------+------+-----+-------+---------+
//	| magic  | version | reserved | schema | length  | checksum | time | pid | start | payload |
//	| c1 plq |    1    |    0     |  u16   |   u32   |   u32    | i64  | u32 |  u32  |         |
//	+--------+---------+----------+--------+---------+----------+------+-----+-------+---------+
//
// The schema is the application's: one number for what the payloads of a queue
// mean, another one when that changes. Length is that of the payload. The checksum is
// CRC-32C of every byte but its own four. Time is when the message was sent, in
// nanoseconds since 1970, and 0 if that is unknown; pid and start are the process
// that sent it ([Identity]). The message's type is the kernel's, and in no
// envelope.
//
//	            ┌──────────┐  Send   ╔═══════╗  Receive  ┌──────────┐ Message
//	payload ───▶│ Producer │────────▶║ queue ║──────────▶│ Consumer │────────▶
//	            └──────────┘         ╚═══════╝           └────┬─────┘
//	                                       anything else      ▼
//	                                                     Quarantine: ToQueue, Journal, Drop
//
// [Append] and [Parse] are the envelope alone. A [Producer] sends, a [Consumer]
// receives. What is foreign, of another version, corrupt or stale goes to a
// [Quarantine] as it is, with its type, and the Consumer takes the next message;
// what only the application can tell to be unusable, it passes to
// [Consumer.Reject]. From a second queue ([ToQueue]) or a file ([Journal]) it may
// be inspected and sent again, as the command sysvmsg/msgq does.
//
// # When not to use it
//
// The checksum finds accidents, not forgery: whoever may write to the queue may
// send any envelope. Permissions of the queue keep others out. Where a program
// that knows no envelopes sends or receives, use the [sysvmsg.Queue] directly: it
// is the raw mode. A Consumer would put all its messages in quarantine.
//
// # Delivery
//
// A message has left the queue when Receive returns it. If the process dies then,
// it is lost; so is the one that a Consumer holds because its Quarantine failed.
// That one is tried again on every call, [Consumer.Flush] included, and no other is
// taken before.
//
// # Concurrency
//
// A Producer and a Journal serve any number of goroutines. A Consumer belongs to
// one goroutine at a time, for its messages share one buffer; only Stats may be
// called from others. Any number of Consumers may receive from one queue, in one
// process or many. The package starts no goroutine and logs nothing.
package envelope
