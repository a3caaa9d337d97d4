// Package procpool keeps groups of worker processes running, and lets them talk.
//
//	func main() {
//		userprocess.Main(userprocess.Roles{"web": procpool.Work(web)})
//		…
//		pool, err := procpool.New([]*procpool.Group{{
//			Name: "web", Count: 4,
//			Command: userprocess.Command{Role: "web", Files: map[string]syscall.Conn{"listener": l}},
//		}}, nil)
//		…
//		err = pool.Run(ctx)
//	}
//
//	func web(ctx context.Context, w *procpool.Worker) error {
//		l, err := w.Listener("listener")
//		…
//		if err := w.Ready(); err != nil {
//			return err
//		}
//		… // serve, until ctx ends
//	}
//
// The process that calls Run is the manager. It has slots, in groups, and each slot
// has a worker: when one ends, another one takes its place, at once first, and ever
// more slowly while they keep ending. When a worker is to be replaced, by a reload
// or at its own request, its successor is ready before it goes.
//
//	               manager                          worker
//	┌────────────────────────────────┐        ┌─────────────────┐
//	│ Pool ── slot ── process        │        │ Work            │
//	│          │                     ├────────┤   Ready, Retire │ control
//	│          ├─ successor          │        │   ctx, Cut      │
//	│          └─ inbox ◀── from anyone ─────▶│   Receive       │
//	│ page of counters ◀─────────────────────▶│   Begin, End    │
//	└────────────────────────────────┘        └─────────────────┘
//
// # Requests
//
// [Pool.Dispatcher] gives each worker of a group a lane, a private pair of stream
// sockets, and returns what sends requests to them: package dispatch has the policies,
// the bounds, and the account of what each request comes to when its worker dies. A
// worker answers them in [Worker.Serve] with a handler of package lane. Workers call
// the other way with [Worker.Client]. Package task makes a queue of both, of tasks
// that any process of the pool submits. Without lanes, workers consume what others
// keep for them, a message queue or a broker, with [Worker.Consume].
//
// What a worker sends is checked. One whose lane is broken gets SIGKILL, and is
// replaced: [Faulted].
//
// # How a worker goes
//
// It is asked, and its context ends: it takes on nothing new, and finishes what it
// has in hand. After Group.Drain its time is up: Cut is closed, and SIGTERM sent.
// After Group.Grace it gets SIGKILL, with its process group. One that is not ready,
// or is another program, begins with SIGTERM.
//
// # What is promised
//
// A process that has ended is noticed at once, however it ended. Every process of a
// pool is gone within a second of its manager: see package userprocess. What is in an
// inbox outlives the worker that it was for, and goes to its successor.
//
// # What is shared
//
// Descriptors in Command.Files, a listener say, are the same open files in all
// workers, and stay open in the manager: no connection that waits in a backlog is
// lost with a worker. Group.Slot gives the workers of each slot one of their own:
// with a SO_REUSEPORT listener for each, see package procpool/reuseport, the kernel
// spreads connections evenly.
//
// # When not to use it
//
// One worker needs no manager: call its function. Goroutines share memory, and are
// cheaper, where no process has to be killed, limited or replaced.
//
// # Concurrency
//
// The methods of a Pool and of a Worker may be called by several goroutines at a
// time, but where they say otherwise. The package logs nothing: [Options.Event] is
// told everything.
package procpool
