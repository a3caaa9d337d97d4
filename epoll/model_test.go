//go:build linux

package epoll

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// A world is where the Loop of a rig lives: the fake kernel, or the real one.
type world struct {
	kernel    kernel
	conn      func() (fd int, p peer)  // a connection, of which fd is for the Loop
	pipe      func() pipe              // what a Source can watch
	replace   func(fd int) pipe        // closes fd, and opens a pipe with the same number
	release   func(fd int)             // closes what is not the Loop's
	hold      func(fd int)             // has the file of fd be open elsewhere, to the end
	detached  func(fd int)             // makes fd the test's
	state     func(fd int) Events      // what could be told
	interests func() []Event           // what is registered with the kernel
	setClock  func(now time.Time)      // of the kernel
	calm      func(exact bool)         // whether calls do what they can
	end       func() (faults []string) // closes what is left
}

// A peer is the test's end of a connection. Nothing blocks.
type peer interface {
	write(p []byte) int // returns how many bytes were taken
	read(most int) (p []byte, end bool)
	shutdown()
	reset()
	close()
}

// A pipe is a descriptor that is readable when it was poked, and the test's end.
type pipe struct {
	fd    int
	poke  func()
	drain func() int // returns how often it was poked
	hang  func()     // closes the test's end
}

// A rig is a Loop whose rounds a test runs, and the model: what the Loop was asked
// for, and what it has to do.
type rig struct {
	world
	l        *Loop
	clock    time.Time
	subjects []*subject
	watches  []*watch
	alarms   []*alarm
	inside   []op // to be carried out in the next callbacks
	posted   int
	ran      int
	deferred int
	done     int // of deferred
	round    int
	told     int            // events of the round
	firing   bool           // a timer's callback runs
	settings int            // of timers
	last     alarm          // that fired in the round
	orphans  map[Event]bool // registrations that are out of reach
	ended    bool
	faults   []string
}

// errBye is a reason that only the tests have.
var errBye = errors.New("bye")

func newRig(w world) *rig {
	r := &rig{world: w, clock: time.Unix(1<<30, 0), orphans: make(map[Event]bool)}
	wait := w.kernel.wait
	w.kernel.now = func() time.Time { return r.clock }
	w.kernel.wait = func(events []Event, _ time.Time) (int, error) {
		n, err := wait(events, time.Unix(1, 0)) // never waits
		r.told = n
		return n, err
	}
	r.setClock(r.clock)
	r.l = newLoop(w.kernel, &Options{Events: 8})
	return r
}

// fault notes that the Loop broke its word.
func (r *rig) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// within is called by every callback, and carries out what was kept for one.
func (r *rig) within() {
	if len(r.inside) > 0 {
		next := r.inside[0]
		r.inside = r.inside[1:]
		next.apply(r, true)
	}
}

// step runs a round, or what Run does when Stop was called.
func (r *rig) step() {
	if r.ended {
		return
	}
	r.l.tidy()
	r.round++
	r.last = alarm{}
	if !r.l.stop.Load() {
		if err := r.l.round(); err != nil {
			r.fault("round: %v", err)
			r.l.Stop()
		}
		return
	}
	if err := r.l.end(); err != nil {
		r.fault("end: %v", err)
	}
	r.ended = true
}

// pending reports whether there is something to do without an event.
func (r *rig) pending() bool {
	l := r.l
	due := len(l.timers) > 0 && !l.timers[0].when.After(r.clock)
	return due || len(l.defers.waiting) > 0 || !l.posts.empty() || len(l.dirty) > 0 || l.stop.Load()
}

// rest runs rounds until there is nothing to do, with a kernel that hides nothing.
func (r *rig) rest() {
	r.calm(true)
	defer r.calm(false)
	for range 1000 {
		busy := r.pending()
		r.step()
		if r.ended || !busy && r.told == 0 && !r.pending() {
			r.check()
			return
		}
	}
	r.fault("the Loop does not come to rest")
}

// advance lets time pass, from one timer to the next.
func (r *rig) advance(d time.Duration) {
	for end := r.clock.Add(d); r.clock.Before(end) && !r.ended; {
		next := end
		if len(r.l.timers) > 0 && r.l.timers[0].when.Before(end) {
			next = r.l.timers[0].when
		}
		if next.After(r.clock) {
			r.clock = next
			r.setClock(next)
		}
		r.rest()
	}
}

// post asks for a function, and expects that it runs next.
func (r *rig) post() {
	n := r.posted
	err := r.l.Post(func() {
		if r.ran != n {
			r.fault("posted function %d runs as number %d", n, r.ran)
		}
		r.ran++
		r.within()
	})
	switch {
	case err == nil:
		r.posted++
	case !errors.Is(err, ErrStopped) || !r.l.stop.Load():
		r.fault("Post = %v", err)
	}
}

// later is post for Defer.
func (r *rig) later() {
	n, round := r.deferred, r.round
	r.deferred++
	r.l.Defer(func() {
		if r.done != n || r.round > round+1 {
			r.fault("deferred function %d of round %d runs as number %d in round %d", n, round, r.done, r.round)
		}
		r.done++
		r.within()
	})
}

// A trialTB is a testing.TB for one of many trials: it keeps what it is told.
type trialTB struct {
	testing.TB
	faults   []string
	cleanups []func()
}

func (tb *trialTB) Errorf(format string, args ...any) {
	tb.faults = append(tb.faults, fmt.Sprintf(format, args...))
}

func (tb *trialTB) Error(args ...any)                 { tb.faults = append(tb.faults, fmt.Sprint(args...)) }
func (tb *trialTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (tb *trialTB) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (tb *trialTB) Cleanup(fn func())                 { tb.cleanups = append(tb.cleanups, fn) }
func (tb *trialTB) Failed() bool                      { return len(tb.faults) > 0 }

// end runs the cleanups, and returns what was wrong.
func (tb *trialTB) end() []string {
	for i := len(tb.cleanups) - 1; i >= 0; i-- {
		tb.cleanups[i]()
	}
	return tb.faults
}
