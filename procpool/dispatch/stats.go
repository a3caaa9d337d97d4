//go:build linux

package dispatch

import (
	"sync"
	"sync/atomic"
)

// Stats is what a Dispatcher has counted. Submitted is the sum of Answered, Failed,
// Lost, Unserved, Dropped, Orphans and Pending.
type Stats struct {
	Submitted int64 // requests that Submit has taken
	Answered  int64 // of them, those that a worker has answered
	Failed    int64 // that its handler has failed
	Lost      int64 // that had begun when their worker died, and were not submitted again
	Unserved  int64 // for which there was no worker, or none any more
	Dropped   int64 // that were not carried out, or lost, when their flow was closed
	Orphans   int64 // answers to flows that were closed
	Waiting   int64 // now, for a worker
	Sent      int64 // now, to a worker that has not answered

	Redelivered int64 // requests that had begun when their worker died, and were sent again
	Resent      int64 // that had not begun
	Broken      int64 // lanes that had something on them that did not belong there
	Calls       int64 // that workers have made

	Slots []SlotStats
}

// Pending returns how many requests are not answered.
func (s *Stats) Pending() int64 { return s.Waiting + s.Sent }

// SlotStats is what a Dispatcher has counted of one slot.
type SlotStats struct {
	Requests   int64 // sent to its workers, those sent again included
	Unanswered int64 // now
	Flows      int64 // open now, whose requests all go there
}

// A published is what Stats returns: what was counted when a round had come to its
// end.
type published struct {
	mu sync.Mutex
	Stats
}

type slotCounters struct{ requests, unanswered, flows atomic.Int64 }

// publish has Stats return what is counted by now.
func (d *Dispatcher) publish() {
	d.shown.mu.Lock()
	defer d.shown.mu.Unlock()
	d.shown.Stats = d.counts
}

// publish has Stats return what is counted of the slot.
func (s *slot) publish() {
	s.shown.requests.Store(s.counts.Requests)
	s.shown.unanswered.Store(s.counts.Unanswered)
}

// Stats returns what was counted, up to the last round in which something was. It may
// be called by any goroutine. What it says of slots may be of a later moment.
func (d *Dispatcher) Stats() Stats {
	d.shown.mu.Lock()
	s := d.shown.Stats
	d.shown.mu.Unlock()
	for _, slot := range d.slots {
		s.Slots = append(s.Slots, SlotStats{
			Requests: slot.shown.requests.Load(), Unanswered: slot.shown.unanswered.Load(), Flows: slot.shown.flows.Load(),
		})
	}
	return s
}
