// Package batch sends many small records at once: packed into one packet, or into
// one write to a stream. For small records the system call is what costs, so that
// a packed one is several times cheaper than one that travels alone.
//
//	w := batch.NewWriter(conn, batch.Packets, nil)
//	for record := range work {
//		if err := w.Add(ctx, record); err != nil { … }
//	}
//	err := w.Flush(ctx)
//
//	r := batch.NewReader(peer, batch.Packets, nil)
//	for {
//		record, err := r.Next(ctx)
//		…
//	}
//
// # Format
//
// A record is its length, big-endian, and its bytes, of which there may be none:
//
//	0        4            4+n      8+n
//	+--------+------------+--------+---------
//	|   n    |  n bytes   |   m    |  m bytes …
//	+--------+------------+--------+---------
//	|<----- a record ---->|
//
// A packet is records from end to end, and at least one. A stream is records
// without a mark between batches: what package lengthfield reads and writes with
// Format{Type: 'N', Body: 4}.
//
// # When to flush
//
// A Writer sends a batch when the next record would not fit. It has no timer: what
// it holds back waits until somebody calls Flush. The rule that gives low latency
// under light load and large batches under heavy load is to flush whenever there
// is no more work at hand: before waiting for the next request, or, on an event
// loop, at the end of a turn. [DefaultSize] bounds what waits until then.
//
// # When not to use it
//
// A request that waits for its reply gains nothing, because there is nothing to
// pack it with. Records beyond a few KiB gain little. What is longer than a packet
// belongs to package chunk, or on a stream.
//
// # Two styles
//
// [Writer] and [Reader] wait, and belong to goroutines. [TryWriter] and [TryReader],
// which they contain, never wait, and belong to event loops. Both ends must be told
// the [Kind] of the connection as it is: nothing else would say so. The connection is
// anything with the methods that they need: a *uds.Conn has all of them, and a
// *uds.Socket has those that never wait.
//
// # Concurrency
//
// A Writer or a Reader is for one goroutine at a time. Several Writers may share a
// connection that keeps the boundaries of packets; a stream has one Writer only.
// The package starts no goroutine and logs nothing.
package batch
