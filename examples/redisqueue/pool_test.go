//go:build linux

package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
)

// A crew is a pool of workers, in the process of the test.
type crew struct {
	*procpool.Pool
	cancel context.CancelFunc
	done   chan error

	mu     sync.Mutex
	events []procpool.Event
}

// newCrew starts workers that have a role. They end with the test.
func newCrew(t *testing.T, b *broker, role string) *crew {
	t.Helper()
	g := b.o.workerGroup()
	g.Command.Role, g.Grace = role, time.Second
	c := &crew{done: make(chan error, 1)}
	var err error
	c.Pool, err = procpool.New([]*procpool.Group{g}, &procpool.Options{Event: c.event})
	must(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c.cancel = cancel
	go func() { c.done <- c.Run(ctx) }() // ends with the test
	t.Cleanup(func() { c.stop(t) })
	return c
}

func (c *crew) event(e procpool.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
}

// of returns the events of a kind.
func (c *crew) of(kind procpool.EventKind) []procpool.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.events), func(e procpool.Event) bool { return e.Kind != kind })
}

// stop stops the workers, if that is yet to be done. None must be left.
func (c *crew) stop(t *testing.T) {
	t.Helper()
	if c.cancel == nil {
		return
	}
	c.cancel()
	c.cancel = nil
	if err := <-c.done; err != nil {
		t.Errorf("Run: %v", err)
	}
	for _, e := range c.of(procpool.Started) {
		if err := unix.Kill(e.PID, 0); !errors.Is(err, unix.ESRCH) {
			t.Errorf("process %d is there after the end of the pool: %v", e.PID, err)
		}
	}
}

// serving returns the processes that are ready.
func (c *crew) serving() (pids []int) {
	for _, s := range c.Status() {
		if s.State == procpool.StateIdle || s.State == procpool.StateBusy {
			pids = append(pids, s.PID)
		}
	}
	return pids
}

// check checks what must hold at a graceful end: who was ready went by itself, with code
// 0. Others were terminated.
func (c *crew) check(t *testing.T) {
	t.Helper()
	if n := c.Counters().Kills; n != 0 {
		t.Errorf("%d workers had to be killed", n)
	}
	ready := make(map[int]bool)
	for _, e := range c.of(procpool.Ready) {
		ready[e.PID] = true
	}
	for _, e := range c.of(procpool.Exited) {
		if e.Expected && ready[e.PID] && !e.Exit.OK() {
			t.Errorf("%v, want exit code 0", e)
		}
	}
}
