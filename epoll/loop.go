//go:build linux

package epoll

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// ErrStopped says that a Loop has ended, or is about to.
var ErrStopped = errors.New("epoll: loop has stopped")

// DefaultEvents is how many events a Loop takes from the kernel at once where
// Options.Events is 0.
const DefaultEvents = 256

// Options are what a Loop can be made with; nil stands for the zero Options.
type Options struct {
	Waiting Waiting // Park if 0
	Events  int     // most events of one round; DefaultEvents if 0 or less
}

// A Loop runs callbacks, one at a time, on the goroutine that calls Run: those of
// descriptors that are ready, of timers, and of Post.
//
// Post, Do, Stop and Len may be called from anywhere. All other methods, and those
// of Sources and Timers, are for callbacks, and for before Run.
//
// A round does what is at hand in this order, each part as it was when the part
// began: the events of descriptors, timers, posts, deferred functions. What a
// callback adds to a part that is running or over waits for the next round, so no
// part can keep another from its turn.
type Loop struct {
	State any // the caller's; of no meaning to the package

	kernel kernel
	events []Event
	born   time.Time
	now    time.Time // of the round, or zero when nobody has asked
	defers queue
	cycle  func()
	posts  inbox
	state  atomic.Int32
	stop   atomic.Bool
	registry
	schedule
	traffic
	drainage
}

// States of a Loop.
const (
	fresh int32 = iota
	running
	ending // no more is taken
	stopped
)

// New returns a Loop that watches nothing. The error is one of the system calls
// of [NewPoller].
func New(opts *Options) (*Loop, error) {
	if opts == nil {
		opts = new(Options)
	}
	k, err := newKernel(opts.Waiting)
	if err != nil {
		return nil, err
	}
	return newLoop(k, opts), nil
}

func newLoop(k kernel, opts *Options) *Loop {
	n := opts.Events
	if n <= 0 {
		n = DefaultEvents
	}
	return &Loop{
		kernel: k,
		events: make([]Event, n),
		born:   k.now(),
		traffic: traffic{
			conns:    conns{step: 1},
			input:    make([]byte, DefaultTurn),
			segments: make([][]byte, 0, 64),
		},
	}
}

// Run runs callbacks until Stop is called or ctx is done, and releases what the
// Loop holds of the system. It returns nil after Stop, [context.Cause] of ctx,
// [ErrStopped] if the Loop has run before, or the error of a system call that
// leaves it nothing to go on with.
//
// The round that is running is finished, and every function that was posted or
// deferred by then is run, and what the posted ones defer. Then Listeners are
// closed, and Conns at once, with ErrStopped: for an end that waits for them see
// [Loop.Drain]. Descriptors of Sources are the caller's to close. A panic in a
// callback goes through Run to its caller; after it the Loop is good for Close
// only. When ctx is done, a goroutine of package context calls Stop.
func (l *Loop) Run(ctx context.Context) error {
	if !l.state.CompareAndSwap(fresh, running) {
		return ErrStopped
	}
	release := context.AfterFunc(ctx, l.Stop)
	defer release()
	l.now = time.Time{}
	l.tidy()
	var err error
	for err == nil && !l.stop.Load() {
		err = l.round()
	}
	err = errors.Join(err, l.end())
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// Stop makes Run return nil. It may be called from anywhere, before Run and after
// it as well, and again. To have Run return an error, cancel its context with one.
func (l *Loop) Stop() {
	if !l.stop.Swap(true) {
		_ = l.kernel.wake() // a Loop that is closed needs none
	}
}

// Len returns the number of Conns, also of those that are being closed. It may be
// called from anywhere.
func (l *Loop) Len() int { return int(l.count.Load()) }

// Close releases what a Loop holds of the system that never ran, or whose Run
// ended in a panic. Functions that were posted do not run. It must not be called
// while Run runs. After Run returned, or a second time, it returns [ErrStopped].
func (l *Loop) Close() error {
	if l.state.Load() == stopped {
		return ErrStopped
	}
	l.stop.Store(true)
	return l.shut()
}

// over reports whether the Loop has ended, or is about to.
func (l *Loop) over() bool { return l.state.Load() >= ending }

// leaving reports whether the Loop has been told to end, or does without that.
func (l *Loop) leaving() bool { return l.stop.Load() || l.over() }

// Now returns the time of the round: that of the first time somebody asks for it
// after the wait.
func (l *Loop) Now() time.Time {
	if l.now.IsZero() {
		l.now = l.kernel.now()
	}
	return l.now
}

// Post has fn called on the Loop's goroutine, in the next round that begins, or
// while Run comes to its end. It does not block. Functions posted by one goroutine
// run in the order they were posted. When Post returns nil, fn runs exactly once,
// if Run does; once Run is about to return, Post returns [ErrStopped].
func (l *Loop) Post(fn func()) error {
	first, err := l.posts.put(fn)
	if first {
		_ = l.kernel.wake() // fails when the Loop has ended, and then fn has run
	}
	return err
}

// Defer has fn called at the end of the round, or of the next one if the deferred
// functions of this one are running.
func (l *Loop) Defer(fn func()) { l.defers.put(fn) }

// Cycle has fn called at the end of every round, behind the deferred functions, in
// place of the one before; nil for none. It does not pin the Loop.
func (l *Loop) Cycle(fn func()) { l.cycle = fn }

// round waits, and does what is at hand.
func (l *Loop) round() error {
	n, err := l.kernel.wait(l.events, l.deadline())
	if err != nil {
		return err
	}
	l.now = time.Time{}
	if err := l.dispatch(l.events[:n]); err != nil {
		return err
	}
	l.fire()
	l.tidy()
	l.posts.run(l.receive)
	l.tidy()
	l.defers.run()
	if l.cycle != nil {
		l.cycle()
	}
	l.tidy()
	if l.draining {
		l.drain()
	}
	return nil
}

// deadline returns until when the round may wait: zero for ever, the past not at
// all.
func (l *Loop) deadline() time.Time {
	switch {
	case len(l.defers.waiting) > 0 || len(l.dirty) > 0:
		return l.born // has come long ago
	case len(l.timers) > 0:
		return l.timers[0].when
	}
	return time.Time{}
}

// end runs what was posted and deferred, takes no more, closes what the Loop owns,
// and releases the epoll instance.
func (l *Loop) end() error {
	l.late = l.posts.close()
	l.posts.run(l.receive)
	l.tidy()
	l.defers.run()
	l.tidy()
	return l.shut()
}

// shut closes what the Loop owns, the connections that were on their way to it, and
// the epoll instance. A panic in a callback leaves the rest to the next call.
func (l *Loop) shut() error {
	l.state.Store(ending)
	l.late = append(l.late, l.posts.close()...)
	for n := len(l.late); n > 0; n = len(l.late) {
		a := l.late[n-1]
		l.late = l.late[:n-1]
		l.refuse(a)
	}
	for fd := range l.slots {
		switch who := l.slots[fd].who.(type) {
		case *Listener:
			_ = who.Close() // it is open
		case *PacketConn:
			_ = who.Close() // so is this
		}
	}
	l.current = nil
	for c := range l.conns.all() {
		if c.reason == nil {
			c.reason = ErrStopped
		}
		if c.state == aborting {
			l.kernel.reset(int(c.fd))
		}
		c.send()
		c.finish()
	}
	l.state.Store(stopped)
	return l.kernel.close()
}
