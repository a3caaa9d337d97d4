// Package dispatch sends requests to worker processes, and keeps account of them until
// they are answered: a worker may die at any moment, and nothing is lost silently or
// answered twice.
//
//	        Submit  ┌─────────── Dispatcher ───────────┐  lane
//	Flow ──────────▶│ queue ─▶ window of worker 0 ─────│──────▶ worker 0
//	Flow ──────────▶│ queue ─▶ window of worker 1 ─────│──────▶ worker 1
//	     ◀──────────│──────────────────────────────────│◀──────
//	       Answered └──────────────────────────────────┘
//
// A [Flow] is where requests come from, such as a connection. A [Policy] says which
// worker gets them. A worker has no more unanswered requests than its window; the rest
// waits here, in bounded memory, and whoever submits too much is told: [Options.Full]
// is the moment to stop reading, and Room that to go on.
//
// A slot is the place of a worker, in which one comes after another: [Dispatcher.Attach]
// gives it one with a lane, see package lane, and what the returned [Lane] is told goes
// on. Ready makes it the one that gets requests, Drain lets it finish, and Exited
// settles what it has left. Package procpool does all that for the workers of a pool.
//
// # What a crash costs
//
// The Dispatcher has the bytes of all that is not answered. When a worker has died it
// takes the answers that are still in the lane. Of the rest, what the worker had not
// begun goes to the next one, in order and before everything else; the worker has
// counted that in shared memory. What had begun is answered with [ErrLost], or sent
// once more if its [Request] says so.
//
// What comes from a worker is checked: an answer to a request that it has not, a second
// answer or bytes that are no record break its lane, and it is to be killed. Other
// workers are not concerned.
//
// # Order
//
// With [Sticky] and [Keyed] the answers of a flow come in the order of its requests, if
// workers handle one at a time, also when workers are replaced or die. Other policies
// answer as it comes.
//
// # Memory
//
// A Dispatcher keeps at most, for each slot, the window of each of its workers, which is
// WindowBytes and one request of Max, twice that if one request stays unanswered while
// others go on, and QueueBytes twice and one request besides for what waits. A worker
// that is being replaced has a window, too. Besides there are 256 KiB to read into, and
// up to 2 MiB that are kept for requests to come. Returns wait until the worker reads
// them: of 65536 calls at most, and of what size is up to Called.
//
// # When not to use it
//
// For calls in one process there are channels. To send a message that nobody answers
// there is package inbox.
//
// # Concurrency
//
// All runs in rounds of a [Driver]: of an epoll.Loop, or of [Serial], which needs none.
// Methods are for those rounds where their documentation does not say that any
// goroutine may call them.
package dispatch
