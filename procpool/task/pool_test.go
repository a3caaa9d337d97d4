//go:build linux

package task_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/task"
	"github.com/plait-go/plait/userprocess"
)

// patience bounds every wait of a test.
const patience = 20 * time.Second

// A rig is a pool of task workers, and of workers that submit, and the test's way to
// those.
type rig struct {
	*procpool.Pool
	*task.Queue
	rounds  *dispatch.Serial
	workers *dispatch.Dispatcher
	events  chan procpool.Event
}

// newRig runs a pool with so many task workers and workers until the test ends.
func newRig(tb testing.TB, tasks, workers int, o *task.Options) *rig {
	tb.Helper()
	return newRigOf(tb, &procpool.Group{Count: tasks}, workers, o)
}

// newRigOf runs a pool with task workers as group says, of which it sets the rest.
func newRigOf(tb testing.TB, group *procpool.Group, workers int, o *task.Options) *rig {
	tb.Helper()
	r := &rig{events: make(chan procpool.Event, 1000), rounds: dispatch.NewSerial()}
	group.Name, group.Command = "task", userprocess.Command{Role: "task"}
	groups := []*procpool.Group{group}
	if workers > 0 {
		groups = append(groups, &procpool.Group{Name: "worker", Count: workers, Command: userprocess.Command{Role: "worker"}})
	}
	var err error
	if r.Pool, err = procpool.New(groups, &procpool.Options{Event: func(e procpool.Event) { r.events <- e }}); err != nil {
		tb.Fatal(err)
	}
	if r.Queue, err = task.New(r.Pool, "task", o); err != nil {
		tb.Fatal(err)
	}
	if workers > 0 {
		r.askable(tb)
	}
	ctx, stop := context.WithCancel(tb.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }() // ends with the test
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	for range group.Count + workers {
		r.until(tb, procpool.Ready)
	}
	return r
}

// askable has the workers submit, and the test ask them to.
func (r *rig) askable(tb testing.TB) {
	tb.Helper()
	if err := r.Accept(r.Pool, "worker"); err != nil {
		tb.Fatal(err)
	}
	var err error
	r.workers, err = r.Dispatcher("worker", "", r.rounds, &dispatch.Options{
		Policy:   dispatch.RoundRobin(),
		Answered: func(a dispatch.Answer) { a.Flow.State.(func(dispatch.Answer))(a) },
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// ask returns what a worker has answered.
func (r *rig) ask(tb testing.TB, request string) (string, error) {
	tb.Helper()
	done := make(chan task.Result, 1)
	err := r.rounds.Post(func() {
		f := r.workers.Open(0, 0, func(a dispatch.Answer) {
			done <- task.Result{Reply: append([]byte(nil), a.Payload...), Err: a.Err}
		})
		if err := r.workers.Submit(f, dispatch.Request{Payload: []byte(request)}); err != nil {
			done <- task.Result{Err: err}
		}
	})
	if err != nil {
		tb.Fatal(err)
	}
	select {
	case got := <-done:
		return string(got.Reply), got.Err
	case <-time.After(patience):
		tb.Fatalf("no answer to %q; %+v", request, r.Queue.Stats())
	}
	return "", nil
}

// until waits for an event.
func (r *rig) until(tb testing.TB, kind procpool.EventKind) {
	tb.Helper()
	expired := time.After(patience)
	for {
		select {
		case e := <-r.events:
			if e.Kind == kind {
				return
			}
		case <-expired:
			tb.Fatalf("no event %v", kind)
		}
	}
}

// fifo returns the path of a FIFO.
func fifo(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// balanced waits until the Queue says that each task is accounted for once.
func (r *rig) balanced(tb testing.TB, submitted int64) {
	tb.Helper()
	var s task.Stats
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		s = r.Queue.Stats()
		sum := s.Answered + s.Failed + s.Lost + s.Unserved + s.Dropped + s.Orphans
		if sum == s.Submitted && s.Submitted == submitted && s.Pending() == 0 {
			return
		}
	}
	tb.Errorf("stats = %+v; want %d submitted, and each of them once", s, submitted)
}

// isFailed reports whether a handler has said that.
func isFailed(err error, text string) bool {
	failed := new(dispatch.FailedError)
	return errors.As(err, &failed) && failed.Text == text
}
