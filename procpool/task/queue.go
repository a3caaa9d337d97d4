//go:build linux

package task

import (
	"context"
	"sync/atomic"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// DefaultQueueBytes is Options.QueueBytes if that is 0.
const DefaultQueueBytes = 16 << 20 // bytes

// Options say how a Queue works. A nil *Options are zeros.
type Options struct {
	// Name is that of the lanes between the Queue and the workers that submit. Queues
	// from which one worker can choose have different ones.
	Name string

	// Window is how many tasks a worker has at a time, begun or not; zero is 1. More
	// of them save the time between one and the next, and are needed for
	// Group.Concurrency. They go to the worker that has the fewest.
	Window int

	// QueueBytes is how many bytes of tasks may wait for a worker, where each counts
	// for 64 more than it has; zero is DefaultQueueBytes. One of any size may.
	QueueBytes int

	// Max is the longest task and the longest reply in bytes; zero is lane.DefaultMax.
	Max int

	// Redeliver has a task carried out once more if the worker dies that has begun it.
	Redeliver bool
}

// A Queue has tasks that the workers of a group carry out. It comes from New, and
// works while its pool runs: before that tasks wait, and after that they come to
// dispatch.ErrNoWorker.
type Queue struct {
	o      Options
	rounds *dispatch.Serial
	tasks  *dispatch.Dispatcher
	flow   *dispatch.Flow
	next   uint64                  // number of a task
	open   map[uint64]func(Result) // by the number
	counts counters
}

// counters are what Stats has besides what a Dispatcher counts.
type counters struct{ late, told, untold atomic.Int64 }

// A Result is what a task has come to.
type Result struct {
	Reply []byte

	// Err is nil, or dispatch.ErrLost, ErrNoWorker, ErrFull or a *dispatch.FailedError
	// with the words of the handler; or lane.ErrTooLong. Where somebody waited, it can
	// be the cause of the end of a context.
	Err error
}

// New returns a Queue for the workers of a group, which call Worker.Serve. It is called
// before the pool runs.
func New(pool *procpool.Pool, group string, o *Options) (*Queue, error) {
	q := &Queue{rounds: dispatch.NewSerial(), open: make(map[uint64]func(Result))}
	if o != nil {
		q.o = *o
	}
	if q.o.QueueBytes == 0 {
		q.o.QueueBytes = DefaultQueueBytes
	}
	policy := dispatch.LeastBusy()
	if q.o.Window == 0 {
		q.o.Window = 1
	}
	if q.o.Window == 1 {
		policy = dispatch.FirstIdle()
	}
	if q.o.Max == 0 {
		q.o.Max = lane.DefaultMax
	}
	var err error
	q.tasks, err = pool.Dispatcher(group, "", q.rounds, &dispatch.Options{
		Policy: policy, Window: q.o.Window, QueueBytes: q.o.QueueBytes, Max: q.o.Max, Answered: q.answered,
	})
	if err != nil {
		return nil, err
	}
	_ = q.rounds.Post(func() { q.flow = q.tasks.Open(0, 0, nil) }) // it is never closed
	return q, nil
}

// take has a task carried out, which gets the next number, and done called with what
// it comes to, unless it returns an error, in a round. The Reply is valid until done
// returns.
func (q *Queue) take(payload []byte, done func(Result)) error {
	number := q.next
	err := q.tasks.Submit(q.flow, dispatch.Request{Payload: payload, Cookie: number, Redeliver: q.o.Redeliver})
	if err == nil {
		q.next++
		q.open[number] = done
	}
	return err
}

// answered is told what a task has come to.
func (q *Queue) answered(a dispatch.Answer) {
	done := q.open[a.Cookie]
	delete(q.open, a.Cookie)
	done(Result{Reply: a.Payload, Err: a.Err})
}

// Submit has a task carried out, and calls done with what it comes to, which may be an
// error at once. The payload is the Queue's until then, and Reply valid until done
// returns. Done is called in a goroutine of the Queue's, or in the caller's; it may
// submit, and must not wait for anything.
func (q *Queue) Submit(payload []byte, done func(Result)) {
	_ = q.rounds.Post(func() { // it is never closed
		if err := q.take(payload, done); err != nil {
			done(Result{Err: err})
		}
	})
}

// Do has a task carried out, and waits for what it comes to, until ctx ends: then it
// returns the cause. The task is carried out nevertheless. It does not retain payload.
// What it returns is the caller's. Errors are those of Result.
func (q *Queue) Do(ctx context.Context, payload []byte) ([]byte, error) {
	r := q.Many(ctx, [][]byte{payload})[0]
	return r.Reply, r.Err
}

// Stats is what a Queue has counted.
type Stats struct {
	dispatch.Stats       // of the tasks
	Late           int64 // outcomes that nobody in this process waited for any more
	Told           int64 // outcomes of Submit that a worker has been told
	Untold         int64 // that no worker could be told: none was there, it died, or had too many waiting
}

// Stats returns what was counted.
func (q *Queue) Stats() Stats {
	return Stats{q.tasks.Stats(), q.counts.late.Load(), q.counts.told.Load(), q.counts.untold.Load()}
}
