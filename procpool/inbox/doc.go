// Package inbox is messages between the processes of a pool: each process has an
// inbox, and may send to that of any other.
//
//	  senders                    kept by the manager               readers
//	┌─────────┐  write end, shared by all      read end      ┌────────────────┐
//	│ worker  ├──────────┐                        ┌─────────▶│ worker 3.2     │
//	└─────────┘          ▼                        │          └───────┬────────┘
//	┌─────────┐   ═══════ a packet pair for slot 3 ═══════           │ aside
//	│ manager ├──────────▲                        ·          ┌───────▼────────┐
//	└─────────┘                                   ·          │ worker 3.1     │
//	                                      until it drains    └────────────────┘
//
// The manager keeps both ends of every inbox open. So what is queued outlives the
// worker that it was for, and its successor receives it. The message that a worker
// had received when it died is gone, and so is one of several packets that it had
// received half of. Messages of one sender arrive in their order, at most once.
//
// While a worker and its successor both receive, for the moment between the one being
// ready and the other beginning to drain, each message goes to one of them. One that
// takes several packets, of more than some 200 KiB, may be torn between both then, and
// is lost: it is counted as cut short.
//
// A worker that drains hands its inbox to its successor, and goes on to receive what
// is addressed to itself, by its incarnation: the successor passes that on, aside.
// What is addressed to the successor, and has come to the worker before, goes back to
// the inbox then.
//
// # Format
//
// A message is one of package uds/chunk, of any number of packets, and begins with a
// header. All numbers are big-endian.
//
//	0       2         3          4         8          12          16
//	+-------+---------+----------+---------+----------+-----------+--------
//	| magic | version | hops     | sender  | sender's | receiver's| payload …
//	| 7069  |   01    | 00 … 08  | slot    | incarnation          |
//	+-------+---------+----------+---------+----------+-----------+--------
//
// What is none of that is dropped and counted, as is what was cut short.
//
// # Concurrency
//
// A Sender may be used by several goroutines at a time, a Receiver by one. The
// package starts no goroutine and logs nothing. Sending and receiving what fits in a
// packet allocates nothing.
package inbox
