//go:build linux

package procpool

import (
	"errors"
	"fmt"
	"time"

	"github.com/plait-go/plait/userprocess"
)

// An Event is something that has happened in a pool.
type Event struct {
	Kind  EventKind
	Time  time.Time
	Group string // empty if the event is the pool's

	Slot        int
	Incarnation int // of the worker; the first one of a slot is 1
	PID         int // 0 if there is no process

	Exit     userprocess.Exit // of Exited
	Expected bool             // Exited: the pool had asked it to go
	Delay    time.Duration    // of Waiting
	Err      error            // of StartFailed and Faulted, and of Reloaded if the reload was aborted
}

// An EventKind tells Events apart.
type EventKind int

// The events of processes, in the order of a long life, and those of the pool.
const (
	Started      EventKind = iota // a process runs
	StartFailed                   // it does not, or was not ready in time: Err
	Ready                         // it serves
	Draining                      // it is to finish what it has in hand
	Detached                      // it goes on outside its group, at its own wish
	Stopping                      // its time to finish is up
	Killed                        // it got SIGKILL
	Faulted                       // it got SIGKILL for what came over its lane: Err
	Exited                        // it has ended: Exit, Expected
	Waiting                       // the slot waits before the next start: Delay
	Finished                      // the slot stays empty: Restart.Policy
	Reloading                     // a reload begins
	Reloaded                      // it has ended: Err
	PoolStopping                  // Run begins to stop everything
)

// eventNames are what String returns.
var eventNames = [...]string{ //nolint:gochecknoglobals // a constant
	"started", "start failed", "ready", "draining", "detached", "stopping", "killed", "faulted", "exited",
	"waiting", "finished", "reloading", "reloaded", "pool stopping",
}

// String returns the name in lower case, such as "start failed".
func (k EventKind) String() string {
	if k < 0 || int(k) >= len(eventNames) {
		return fmt.Sprintf("event %d", int(k))
	}
	return eventNames[k]
}

// String returns a line for a log.
func (e Event) String() string {
	s := e.Kind.String()
	if e.Group != "" {
		s = fmt.Sprintf("%s %d.%d %s", e.Group, e.Slot, e.Incarnation, s)
	}
	if e.PID != 0 {
		s += fmt.Sprintf(" (pid %d)", e.PID)
	}
	switch {
	case e.Kind == Exited:
		s += ": " + e.Exit.String()
	case e.Kind == Waiting:
		s += fmt.Sprintf(" %v", e.Delay.Round(time.Millisecond))
	case e.Err != nil:
		s += ": " + e.Err.Error()
	}
	return s
}

// A Counters is how often things have happened since Run began.
type Counters struct {
	Starts        int64 // processes that ran
	StartFailures int64 // that did not, or were not ready in time
	Restarts      int64 // starts, or attempts, in place of a worker that had ended unasked
	Exits         int64 // ends of processes
	Failures      int64 // of them, those unasked and with a code or signal
	Kills         int64 // SIGKILLs, when time was up, or by Pool.Kill
	Faults        int64 // SIGKILLs of workers that broke a lane
	Retirements   int64 // workers that have asked for a successor
	Detachments   int64
	Reloads       int64 // that began
	Aborts        int64 // of them, those that ended with an error
}

// A FailedError is the error of Run when a slot has used up Restart.MaxFailures.
type FailedError struct {
	Group string
	Slot  int
	Err   error // what the last worker died of
}

// Error names the slot and what its last worker died of.
func (e *FailedError) Error() string {
	return fmt.Sprintf("procpool: group %s, slot %d keeps failing: %v", e.Group, e.Slot, e.Err)
}

// Unwrap returns Err.
func (e *FailedError) Unwrap() error { return e.Err }

// A ReloadError is the error of a reload whose new worker did not become ready.
type ReloadError struct {
	Group string
	Slot  int
	Err   error
}

// Error names the slot and what its new worker died of.
func (e *ReloadError) Error() string {
	return fmt.Sprintf("procpool: reload aborted: group %s, slot %d: %v", e.Group, e.Slot, e.Err)
}

// Unwrap returns Err.
func (e *ReloadError) Unwrap() error { return e.Err }

// The errors of a pool.
var (
	ErrRunning    = errors.New("procpool: Run has been called")
	ErrNotRunning = errors.New("procpool: the pool does not run")
	ErrStartTime  = errors.New("procpool: not ready in time")
	ErrEnded      = errors.New("procpool: ended")
)
