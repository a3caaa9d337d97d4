//go:build linux

package dispatch

import (
	"errors"
	"fmt"

	"github.com/plait-go/plait/procpool/lane"
)

// What Options that are 0 stand for.
const (
	DefaultWindow      = 256     // requests
	DefaultWindowBytes = 1 << 20 // bytes
	DefaultQueueBytes  = 1 << 20 // bytes
)

// Options say how a Dispatcher works. Answered has to be set. All functions are
// called in rounds of the Driver, and may call any method.
type Options struct {
	// Policy says which worker gets a request.
	Policy Policy

	// Window is how many requests a worker has unanswered, and WindowBytes how many
	// bytes of them, at most, where each counts for 64 more than it has. One request
	// may be larger.
	Window, WindowBytes int

	// QueueBytes is how many bytes of requests, counted likewise, may wait for the
	// worker of a slot, or for any worker where the policy does not choose before. See
	// Full.
	QueueBytes int

	// Max is the longest request and the longest answer, in bytes; 0 is
	// lane.DefaultMax.
	Max int

	// Answered is called once for each request, unless its flow is closed before. The
	// payload is valid until it returns.
	Answered func(a Answer)

	// Full is called when a flow should submit no more, and Room when it may again.
	// That is so while a request of the flow waits for a worker, and for all flows of a
	// slot while there are more than QueueBytes. Where Full is nil, Submit returns
	// ErrFull then.
	Full, Room func(f *Flow)

	// Called is called when a worker makes a call. Nil refuses all.
	Called func(c *Call)
}

// A Request is what a Flow submits.
type Request struct {
	Payload []byte
	Cookie  uint64 // comes back with the answer

	// Redeliver has a request submitted once more that had begun when its worker died.
	// One that had not begun always is.
	Redeliver bool
}

// An Answer is what a request has come to.
type Answer struct {
	Flow    *Flow
	Cookie  uint64
	Payload []byte
	Err     error // nil, ErrLost, ErrNoWorker, ErrStopped, or a *FailedError
}

// A FailedError is what a handler has said of a request.
type FailedError struct{ Text string }

func (e *FailedError) Error() string { return e.Text }

var (
	// ErrLost says that the worker of a request has died after it had begun.
	ErrLost = errors.New("request lost")

	// ErrFull says that there is no room for a request. Nothing of it was taken.
	ErrFull = errors.New("dispatch: too many requests wait")

	// ErrNoWorker says that no worker will come that a request could be sent to.
	ErrNoWorker = errors.New("dispatch: no worker")

	// ErrRefused says that the function of Custom has refused a request.
	ErrRefused = errors.New("dispatch: refused")

	// ErrStopped says that the Dispatcher is closed, or the Flow.
	ErrStopped = errors.New("dispatch: closed")
)

// A Dispatcher sends requests to workers, and keeps account of them: each one is
// answered once, or reported, or was refused. All methods but Attach, Finish and
// Stats are for rounds of its Driver.
type Dispatcher struct {
	o      Options
	policy Policy
	driver Driver
	slots  []*slot
	queue  queue // of requests that no slot is chosen for
	turn   int   // the slot that is looked at first
	chunks pool
	in     []byte
	parts  [][]byte
	dirty  []*Lane // that have something to be sent
	due    bool    // flush is
	roomy  []*Flow // that may submit again
	moved  bool    // flows may go on in another slot
	closed bool
	counts Stats
	shown  published
}

// A slot is the place of a worker.
type slot struct {
	number   int
	lane     *Lane // of the worker that gets requests, or nil
	lanes    []*Lane
	queue    queue
	flows    int
	finished bool
	counts   SlotStats
	shown    slotCounters
}

// New returns a Dispatcher for the workers of so many slots, which has none yet. The
// error says which option makes no sense.
func New(slots int, driver Driver, o *Options) (*Dispatcher, error) {
	d := &Dispatcher{o: *o, policy: o.Policy, driver: driver, in: make([]byte, lane.Batch), parts: make([][]byte, 0, maxParts)}
	for _, n := range []*int{&d.o.Window, &d.o.WindowBytes, &d.o.QueueBytes, &d.o.Max} {
		if *n < 0 {
			return nil, fmt.Errorf("dispatch: Window %d, WindowBytes %d, QueueBytes %d, Max %d", o.Window, o.WindowBytes, o.QueueBytes, o.Max)
		}
	}
	d.o.Window, d.o.WindowBytes = or(o.Window, DefaultWindow), or(o.WindowBytes, DefaultWindowBytes)
	d.o.QueueBytes, d.o.Max = or(o.QueueBytes, DefaultQueueBytes), or(o.Max, lane.DefaultMax)
	switch {
	case slots < 1:
		return nil, fmt.Errorf("dispatch: %d slots, want 1 at least", slots)
	case o.Answered == nil:
		return nil, errors.New("dispatch: Options.Answered is nil")
	case d.o.Max > maxMessage:
		return nil, fmt.Errorf("dispatch: Max %d, want %d at most", o.Max, maxMessage)
	}
	d.queue.init(d)
	for i := range slots {
		s := &slot{number: i}
		s.queue.init(d)
		d.slots = append(d.slots, s)
	}
	return d, nil
}

// maxMessage is the largest Max, in bytes.
const maxMessage = 1 << 30

// or returns n, or otherwise if that is 0.
func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// Open returns a Flow. ID is what workers are told, state the caller's, and key what
// Keyed goes by.
func (d *Dispatcher) Open(id, key uint64, state any) *Flow {
	f := &Flow{ID: id, State: state, d: d, key: key}
	switch d.policy.kind {
	case sticky:
		f.enter(d.fewest())
	case keyed:
		f.enter(d.slotOf(key))
	default:
		d.queue.join(f)
	}
	return f
}

// Submit has a request carried out. It does not retain the payload. The error is
// ErrStopped, lane.ErrTooLong, ErrRefused, ErrNoWorker, or ErrFull, and then nothing
// was taken.
func (d *Dispatcher) Submit(f *Flow, r Request) error {
	switch {
	case d.closed || f.closed:
		return ErrStopped
	case len(r.Payload) > d.o.Max:
		return fmt.Errorf("%w: a request of %d bytes, %d are the limit", lane.ErrTooLong, len(r.Payload), d.o.Max)
	}
	to, q, err := d.route(f, r.Payload)
	flags := entryFlags(0)
	if q == &d.queue {
		flags = roams
	}
	switch {
	case err != nil:
		return err
	case to != nil && q.len() == 0:
		to.add(f, &r, flags)
	default:
		if err := q.put(f, &r, flags); err != nil {
			return err
		}
	}
	d.counts.Submitted++
	d.wake()
	return nil
}

// route returns the lane that the next request of f goes to, or nil if it has to
// wait, and where.
func (d *Dispatcher) route(f *Flow, payload []byte) (*Lane, *queue, error) {
	s := f.slot
	if d.policy.kind == custom {
		switch n := d.policy.pick(f, payload); {
		case n == Refuse:
			return nil, nil, ErrRefused
		case n >= 0 && n < len(d.slots):
			s = d.slots[n]
		case n != Default:
			return nil, nil, fmt.Errorf("%w: no slot %d, want 0 to %d", ErrNoWorker, n, len(d.slots)-1)
		}
	}
	if s == nil {
		if d.finished() {
			return nil, nil, ErrNoWorker
		}
		return d.choose(), &d.queue, nil
	}
	if s.finished {
		return nil, nil, ErrNoWorker
	}
	if s.takes(f, f.present()) {
		return s.lane, &s.queue, nil
	}
	return nil, &s.queue, nil
}

// takes reports whether the worker of the slot can be sent a request of f now. While
// another one has requests of f, its answers would not be in order.
func (s *slot) takes(f *Flow, stay uint32) bool {
	l := s.lane
	if l == nil || !l.hasRoom() || !f.turn(stay) {
		return false
	}
	return f.unanswered == 0 || f.last == l || f.slot == nil && s.alone(l)
}

// alone reports whether no worker of the slot but one has requests.
func (s *slot) alone(but *Lane) bool {
	for _, l := range s.lanes {
		if l != but && l.unanswered > 0 {
			return false
		}
	}
	return true
}

// finished reports whether no slot will have a worker any more.
func (d *Dispatcher) finished() bool {
	for _, s := range d.slots {
		if !s.finished {
			return false
		}
	}
	return true
}

// Close has everything that is not answered answered with ErrStopped, and takes
// nothing more.
func (d *Dispatcher) Close() {
	if d.closed {
		return
	}
	d.closed = true
	d.wake()
	d.queue.fail(ErrStopped)
	for _, s := range d.slots {
		s.queue.fail(ErrStopped)
		for _, l := range s.lanes {
			l.dead = true // to whom nothing is told
			l.breaks(ErrStopped)
			l.fail(ErrStopped)
			s.publish()
		}
	}
}
