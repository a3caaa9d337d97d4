//go:build linux

package procpool

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/plait-go/plait/userprocess"
)

// A child is a process as its slot sees it: a userprocess.Process, but in tests.
type child interface {
	PID() int
	Tell(order) // on the control channel; who does not listen gets a signal later
	Signal(syscall.Signal) error
	Kill() error
}

// A starter starts a process of a slot. What the worker says arrives as calls of
// notice, one after the other, from a goroutine that ends with the last one: exited.
type starter func(ctx context.Context, p *proc, notice func(notice)) (child, error)

// A notice is what a slot hears of a process.
type notice struct {
	word word
	exit userprocess.Exit
}

// A State is where a process of a pool is in its life.
type State int

// The states.
const (
	StateStarting State = iota // it runs, and is not ready
	StateIdle                  // it is ready, and handles no request
	StateBusy                  // it handles one
	StateDraining              // it finishes what it has in hand
	StateDetached              // it has left its group to finish something
	StateStopping              // its time is up, and it will be killed
	StateBackoff               // there is none: the slot waits before the next start
	StateFinished              // there is none, and there will be none
)

// stateNames are what String returns.
var stateNames = [...]string{ //nolint:gochecknoglobals // a constant
	"starting", "idle", "busy", "draining", "detached", "stopping", "backoff", "finished",
}

// String returns the name in lower case.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "unknown"
	}
	return stateNames[s]
}

// A proc is one process of a slot. It goes through its states in their order, and
// has one deadline at a time. Idle stands for Busy here.
type proc struct {
	child
	slot        *slot
	incarnation int
	bank        int // of the shared page
	state       State
	started     time.Time
	reload      *reload   // that the slot took part in when this was started, or nil
	since       time.Time // when it was ready, zero before that
	paid        time.Time // until when it has earned restarts
	deadline    time.Time // when the state has lasted too long; zero is never
	retires     bool      // it has asked for a successor
	asked       bool      // to go, so that its end is expected
	late        bool      // it was not ready in time
	killed      bool
	lanes       lanes
}

// enter changes the state, which may last so long.
func (p *proc) enter(s State, limit time.Duration) {
	p.state, p.deadline = s, time.Now().Add(limit)
}

// expected reports whether the end of the process is what somebody wanted.
func (p *proc) expected() bool { return p.asked && !p.late || p.state == StateDetached }

// served returns how long the process has been ready.
func (p *proc) served() time.Duration {
	if p.since.IsZero() {
		return 0
	}
	return time.Since(p.since)
}

// reason returns what the process has died of.
func (p *proc) reason(exit userprocess.Exit) error {
	if p.late {
		return fmt.Errorf("%w, %v", ErrStartTime, p.slot.group.Start)
	}
	if p.since.IsZero() {
		return fmt.Errorf("%w before it was ready: %v", ErrEnded, exit)
	}
	return fmt.Errorf("%w: %v", ErrEnded, exit)
}

// retire asks the process to finish what it has in hand, and then to end: because it
// is replaced, or because the pool stops. One that has nothing in hand, does not
// tell, is stopped. One that has been asked before keeps its time.
func (p *proc) retire(why order) {
	switch {
	case p.state == StateDraining, p.state == StateStopping:
	case p.state == StateStarting, p.slot.group.Command.Role == "":
		p.stop()
	default:
		p.asked = true
		p.enter(StateDraining, p.slot.group.Drain)
		p.slot.event(Event{Kind: Draining}, p)
		p.Tell(why)
		p.lanes.drain()
	}
}

// stop tells the process that its time is up.
func (p *proc) stop() {
	p.asked = true
	p.enter(StateStopping, p.slot.group.Grace)
	p.slot.event(Event{Kind: Stopping}, p)
	p.Tell(orderCut)
	_ = p.Signal(syscall.SIGTERM) // or it has ended
	_ = p.Signal(syscall.SIGCONT) // for SIGTERM to arrive
}

// kill kills the process.
func (p *proc) kill() {
	if p.killed {
		return
	}
	p.asked, p.killed, p.state, p.deadline = true, true, StateStopping, time.Time{}
	p.slot.pool.count(func(c *Counters) { c.Kills++ })
	p.slot.event(Event{Kind: Killed}, p)
	_ = p.Kill() // or it has ended
}

// fault kills the process because of what it has done.
func (p *proc) fault(err error) {
	if p.killed {
		return
	}
	p.killed = true
	p.slot.pool.count(func(c *Counters) { c.Faults++ })
	p.slot.event(Event{Kind: Faulted, Err: err}, p)
	_ = p.Kill() // or it has ended
}

// expire is called when the deadline has passed.
func (p *proc) expire() {
	switch p.state {
	case StateStarting:
		p.late = true
		p.slot.startFailed(p, p.reason(userprocess.Exit{}))
		p.stop()
	case StateDraining:
		p.stop()
	case StateStopping:
		p.kill()
	case StateIdle, StateBusy, StateDetached, StateBackoff, StateFinished: // have none
	}
}
