// Package task has work done by the workers of a group for others: for those of
// another group, and for the manager of both.
//
//	manager                              worker of "worker"            worker of "task"
//	q, err := task.New(pool, "task", nil)
//	err = q.Accept(pool, "worker")       c, err := task.NewClient(w)   err := w.Serve(handler)
//	reply, err := q.Do(ctx, payload)     reply, err := c.Do(ctx, payload)
//
// A task is a request of up to 16 MiB, as a [lane.Handler] answers it. Whoever submits
// one waits for what it comes to, or is told: a worker by a call of its own handlers'
// kind, even in the process that has taken its place since.
//
// All tasks pass the manager, which keeps those that nobody has begun, in memory, up to
// a limit. So the death of a task worker costs the one that it had begun, at most,
// which is reported with dispatch.ErrLost, or carried out once more, if
// [Options.Redeliver] says so. The death of a worker that has submitted costs nothing.
// The outcome of a task that nobody waits for any more is dropped, and counted, and
// never taken for that of another one.
//
// # When not to use it
//
// Tasks do not survive their manager. Those that must, belong in a queue of the system
// or a broker: see procpool.Source, which package sysvmsg satisfies.
//
// # Concurrency
//
// A [Queue] starts the goroutines of dispatch.Serial. All methods may be called by
// several goroutines at a time.
package task
