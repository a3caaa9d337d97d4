//go:build linux

package procpool

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/plait-go/plait/userprocess"
)

// The times and numbers of a Group that says nothing else.
const (
	DefaultStart = 30 * time.Second // until a worker is ready
	DefaultDrain = 10 * time.Second // until it has finished what it has in hand
	DefaultGrace = 10 * time.Second // until it is killed after that
)

// MaxCount is how many workers a pool may have, of all groups together.
const MaxCount = 4096

// A Group describes workers of one kind. It must not change once it belongs to a
// Pool.
type Group struct {
	// Name tells the group from the others of the pool.
	Name string

	// Kind tells workers from user processes; zero is Workers.
	Kind Kind

	// Count is how many workers there are; zero is 1. Each has a slot, from 0 on,
	// which its successors inherit.
	Count int

	// Command is what a worker is: a role, which [Work] has made, or another program,
	// which is ready as soon as it runs. Its Pipe and Grace must be zero.
	Command userprocess.Command

	// Slot returns descriptors for the workers of a slot besides those of Command; nil
	// if there are none. It is called for each slot when the pool is made. The files
	// stay open as long as Run, and are the caller's.
	Slot func(slot int) map[string]syscall.Conn

	// Start, Drain and Grace are how long a worker may take to become ready, to finish
	// what it has in hand when it is to go, and to end after that; zero stands for
	// DefaultStart, DefaultDrain and DefaultGrace, less for no time at all.
	Start, Drain, Grace time.Duration

	// Restart says what happens when a worker has ended.
	Restart Restart

	// Concurrency is how many requests of its lanes a worker handles at a time, in
	// [Worker.Serve]; zero is 1, and keeps the order of each lane.
	Concurrency int

	// Requests is how many requests a worker serves before another one takes its
	// place, and Jitter up to how many more, by chance, so that not all go at a time.
	// Zero Requests are any number.
	Requests, Jitter int

	// Reload has user processes take part in reloads. Workers always do.
	Reload bool
}

// A Kind is what a process of a pool is there for.
type Kind int

// The kinds. A user process is a companion of the workers: a monitor, a producer.
const (
	Workers Kind = iota
	UserProcesses
)

// A Policy says after which ends a worker is started again.
type Policy int

// The policies.
const (
	Always    Policy = iota
	OnFailure        // unless it has exited with code 0
	Never
)

// Restart says when a worker is started again. What is zero has the value that is
// said.
//
// A slot has Burst immediate restarts, and regains one for each Regain that a worker
// was ready. When there is none left it waits, for Min first and twice as long each
// time, up to Max, ± 20 %, until a worker has been ready for Regain again. Reloads
// cost nothing of that, nor do workers that go at their own wish, unless they have
// been ready for less than Regain.
type Restart struct {
	Policy Policy
	Burst  int           // 5; less than 0: none
	Regain time.Duration // 2 s
	Min    time.Duration // 100 ms
	Max    time.Duration // 5 s

	// MaxFailures, if not 0, is how many workers of a slot in a row may end before they
	// have been ready for Regain. One more, and Run ends with a *FailedError.
	MaxFailures int
}

// withDefaults returns a copy that has no zeros left.
func (r Restart) withDefaults() Restart {
	if r.Burst == 0 {
		r.Burst = 5
	}
	r.Burst = max(r.Burst, 0)
	r.Regain = max(orDefault(r.Regain, 2*time.Second), 1)
	r.Min = orDefault(r.Min, 100*time.Millisecond)
	r.Max = max(orDefault(r.Max, 5*time.Second), r.Min)
	return r
}

// orDefault returns d, standard if it is zero, and zero if it is less.
func orDefault(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return max(d, 0)
}

// withDefaults returns a copy that has no zeros left, or what makes no sense.
func (g *Group) withDefaults() (*Group, error) {
	c := *g
	if c.Count == 0 {
		c.Count = 1
	}
	c.Start, c.Drain, c.Grace = orDefault(g.Start, DefaultStart), orDefault(g.Drain, DefaultDrain), orDefault(g.Grace, DefaultGrace)
	c.Restart = g.Restart.withDefaults()
	switch {
	case c.Name == "":
		return nil, errors.New("procpool: a group has no name")
	case c.Count < 0 || c.Count > MaxCount:
		return nil, fmt.Errorf("procpool: group %s: Count is %d, want 1 to %d", c.Name, c.Count, MaxCount)
	case c.Command.Pipe != 0 || c.Command.Grace != 0:
		return nil, fmt.Errorf("procpool: group %s: Pipe and Grace of Command are the pool's", c.Name)
	case c.Concurrency < 0:
		return nil, fmt.Errorf("procpool: group %s: Concurrency %d", c.Name, c.Concurrency)
	case c.Requests < 0 || c.Jitter < 0:
		return nil, fmt.Errorf("procpool: group %s: Requests %d, Jitter %d", c.Name, c.Requests, c.Jitter)
	case c.Requests > 0 && c.Command.Role == "":
		return nil, fmt.Errorf("procpool: group %s: Requests of another program, which counts none", c.Name)
	case c.Kind < Workers || c.Kind > UserProcesses, c.Restart.Policy < Always || c.Restart.Policy > Never:
		return nil, fmt.Errorf("procpool: group %s: Kind %d, Policy %d", c.Name, c.Kind, c.Restart.Policy)
	}
	return &c, nil
}

// reloads reports whether the group takes part in reloads of everything.
func (g *Group) reloads() bool { return g.Kind == Workers || g.Reload }
