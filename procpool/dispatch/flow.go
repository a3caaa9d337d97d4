//go:build linux

package dispatch

// A Flow is where requests come from: a connection, as a rule. It is made by
// Dispatcher.Open, and closed by Close or Discard.
type Flow struct {
	ID    uint64 // that workers are told, as the tag of each request
	State any    // the caller's; of no meaning to the package

	d          *Dispatcher
	key        uint64
	slot       *slot // where its requests go, if that does not change
	last       *Lane // where its unanswered requests are
	unanswered int   // that a worker has
	waiting    int
	cost       int // of those that wait
	full       bool
	closed     bool
	discards   bool

	stay  uint32 // the first of its stays
	stays []int  // how many requests of each are pending; nil if that is all of them

	in         *queue // that it submits to
	prev, next *Flow
}

// Full reports whether the flow should not submit any more, until Options.Room.
func (f *Flow) Full() bool { return f.full }

// Pending returns how many requests are submitted and not answered.
func (f *Flow) Pending() int { return f.unanswered + f.waiting }

// Slot returns where the requests of the flow go, or -1 where each one is dispatched
// by itself.
func (f *Flow) Slot() int {
	if f.slot == nil {
		return -1
	}
	return f.slot.number
}

// SetKey changes what Keyed goes by, for requests to come. They wait until those
// before are answered.
func (f *Flow) SetKey(key uint64) {
	f.key = key
	to := f.d.slotOf(key)
	if f.d.policy.kind != keyed || f.closed || to == f.slot {
		return
	}
	f.move()
	f.leave()
	f.enter(to)
	if f.full {
		f.d.roomy = append(f.d.roomy, f)
		f.d.wake()
	}
}

// move begins a stay: that is what a flow has submitted between two changes of its
// slot. Its requests wait until there are none of earlier ones.
func (f *Flow) move() {
	switch n := f.Pending(); {
	case n == 0:
		f.stays = nil
	case f.stays == nil:
		f.stays = []int{n, 0}
	case f.stays[len(f.stays)-1] > 0:
		f.stays = append(f.stays, 0)
	}
}

// present returns the stay of the next request.
func (f *Flow) present() uint32 { return f.stay + uint32(max(len(f.stays), 1)-1) }

// pend notes that so many more requests of a stay are pending.
func (f *Flow) pend(stay uint32, n int) {
	if f.stays != nil {
		f.stays[stay-f.stay] += n
		f.d.moved = true
	}
}

// turn reports whether nothing is pending of the stays before.
func (f *Flow) turn(stay uint32) bool {
	for len(f.stays) > 0 && f.stays[0] == 0 && stay != f.stay {
		f.stays = f.stays[1:]
		f.stay++
	}
	if len(f.stays) == 1 {
		f.stays = nil
	}
	return stay == f.stay
}

// Close ends the flow. What it has submitted is carried out, and the answers are
// dropped. There are no more calls of Options about it. A second Close does nothing.
func (f *Flow) Close() { f.end(false) }

// Discard is Close that also drops the requests that no worker has been sent.
func (f *Flow) Discard() { f.end(true) }

func (f *Flow) end(discards bool) {
	f.discards = f.discards || discards
	if !f.closed {
		f.closed, f.full = true, false
		f.leave()
	}
}

// enter makes the flow one of a slot.
func (f *Flow) enter(s *slot) {
	f.slot = s
	s.flows++
	s.shown.flows.Store(int64(s.flows))
	s.queue.join(f)
}

// leave takes it from where it is.
func (f *Flow) leave() {
	if f.slot != nil {
		f.slot.flows--
		f.slot.shown.flows.Store(int64(f.slot.flows))
	}
	f.in.part(f)
}

// join adds a flow to those that submit to a queue.
func (q *queue) join(f *Flow) {
	f.in, f.prev, f.next = q, nil, q.flows
	if f.next != nil {
		f.next.prev = f
	}
	q.flows = f
}

// part takes it from them.
func (q *queue) part(f *Flow) {
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		q.flows = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	}
	f.prev, f.next = nil, nil
}
