//go:build linux

package task

import (
	"bytes"
	"context"
)

// Many is Do for several tasks at a time, in no order. When ctx ends it returns what
// there is; of the others Err is the cause.
func (q *Queue) Many(ctx context.Context, payloads [][]byte) []Result {
	w := &wait{q: q, done: make(chan numbered, len(payloads))}
	q.round(func() { w.begin(payloads) })
	results, there := make([]Result, len(payloads)), make([]bool, len(payloads))
	note := func(r numbered) { results[r.i], there[r.i] = r.Result, true }
	for range payloads {
		select {
		case r := <-w.done:
			note(r)
			continue
		case <-ctx.Done():
		}
		q.round(func() { w.gone = true })
		break
	}
	for range len(w.done) { // when ctx ended
		note(<-w.done)
	}
	for i := range results {
		if !there[i] {
			results[i].Err = context.Cause(ctx)
		}
	}
	return results
}

// round calls fn in a round, and waits for that.
func (q *Queue) round(fn func()) {
	called := make(chan struct{})
	_ = q.rounds.Post(func() { fn(); close(called) }) // it is never closed
	<-called
}

// A wait is somebody who waits for tasks. It belongs to the rounds.
type wait struct {
	q    *Queue
	gone bool
	done chan numbered
}

// numbered is what the task with that index has come to.
type numbered struct {
	i int
	Result
}

func (w *wait) begin(payloads [][]byte) {
	for i, p := range payloads {
		if err := w.q.take(p, func(r Result) { w.finished(i, r) }); err != nil {
			w.finished(i, Result{Err: err})
		}
	}
}

func (w *wait) finished(i int, r Result) {
	if w.gone {
		w.q.counts.late.Add(1)
		return
	}
	w.done <- numbered{i, Result{Reply: bytes.Clone(r.Reply), Err: r.Err}} // there is room
}
