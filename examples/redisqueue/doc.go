// Redisqueue carries out the tasks of a persistent queue, a Redis stream, by worker
// processes. Any process may be killed at any time, the server too: it shows how a
// message broker is a procpool.Source.
//
//	          tasks          consumer group                worker 0
//	XADD ──▶ ┌─────────────┐   XREADGROUP   ┌────────┐      ┌─────────┐
//	         │ 7 8 9 10 …  ├───────────────▶│ Source ├─────▶│ handler ├──▶ tasks:results
//	         └──────┬──────┘◀───────────────┤  Next  │◀─────┴─────────┘
//	                │           XACK, XDEL  └────────┘ the next Next
//	                │ delivered too often
//	                ▼                        workers 1, 2, …: the same
//	           tasks:dead
//
// Nothing is between the stream and the workers but the Source of each: the manager
// starts those that have ended again, and never sees a task.
//
// # What is promised
//
// A task is done at least once: a message is acknowledged, and deleted, when its handler
// has returned without an error, and not before. It is in the stream until then,
// whoever dies.
//
// When a worker dies, the one message that it had in hand is delivered again, and no
// other one. Each worker is a consumer that is named after its slot, and its successor
// has that name, too, so it begins with what its predecessor has left: at once, without
// waiting until it has been idle for long enough. A worker that is asked to end finishes
// the task in hand, acknowledges it, and nothing is done twice.
//
// When a worker is silent for longer than -idle, it is stopped, say, or its machine is
// gone, another one claims what it has. If it goes on after all, the task is done twice.
// What it acknowledges then is done, so that does no harm, even if the other one still
// is about it.
//
// A message is delivered -deliveries times at most, successors and claims included. Then
// it goes to the stream of dead messages, with all of its fields, its ID as source, and
// the number of deliveries: in one step of the server, so that it is there exactly once.
// So does at once what has no payload. To have another try, somebody adds it to the
// stream of tasks again.
//
// An error of the server, or of the connection, ends a worker. Its successor goes on as
// above, and the pool tries ever more slowly while there is no server.
//
// # What is not
//
// There is no order: workers are as fast as they are, and a repeated message comes
// late.
//
// A result may be there twice, if a worker dies after XADD and before XACK. Where that
// matters there are two ways: results under the ID of their message, HSET results ID …,
// so that a second one takes the place of the first; or the result and the XACK in one
// MULTI, if the result is in this server, too.
//
// A server keeps what it has written to its disk: "appendonly yes" with "appendfsync
// always" for all that it has accepted, see TestServerDies.
//
// Over a network, a server that has not noticed yet that a worker is gone may deliver one
// more message to it, which waits for -idle then. The same goes for a machine that does
// not come back. Two pools with one -name, or a manager that is started within a second
// after the death of another, would take what the other's workers have in hand for their
// own: it is done twice. So would a reload, which has two workers in a slot for a while;
// here is none.
//
// The stream has one group, for who deletes does so for all. In a Redis Cluster the name
// of the stream has braces, {tasks}, so that the three streams are on one server.
//
// # Another broker
//
// A Source does five things, whatever it is that it reads:
//
//   - Next acknowledges the message before it returns another one. Prefetched messages,
//     if there are any, are given back at the end, or repeated after a death.
//   - After Consume has returned nil, the last message is acknowledged: no Next has
//     followed. After an error it is not.
//   - Next returns context.Cause(ctx) soon after ctx has ended, and loses nothing by it:
//     a client that forgets about a request must not leave a message on its way.
//   - An error of the broker is returned, and ends the worker. Retries are the pool's,
//     where they are counted and shown.
//   - What is delivered again and again ends somewhere: the broker counts, and the Source
//     or the broker puts it aside, before it forgets it.
//
// In AMQP these are basic.qos with prefetch 1, basic.ack, basic.cancel, a connection for
// each worker, and x-delivery-limit of a quorum queue; there and in JetStream, whose
// words are MaxAckPending, AckSync, MaxDeliver and AckWait, the broker gives a message
// back itself when a connection, or the time, has ended.
package main
