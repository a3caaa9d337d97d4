//go:build linux

package procpool_test

import (
	"context"
	"testing"
	"time"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// A running is a pool that runs, with the events as they come.
type running struct {
	*testing.T
	*procpool.Pool
	events chan procpool.Event
	cancel func()
	done   chan error
}

// role returns a group of so many workers.
func role(name string, count int) *procpool.Group {
	return &procpool.Group{Name: name, Count: count, Command: userprocess.Command{Role: name}}
}

// run runs a pool until the test ends.
func run(t *testing.T, groups ...*procpool.Group) *running {
	t.Helper()
	return runWith(t, new(procpool.Options), groups...)
}

// runWith is run with Options, of which Event is set.
func runWith(t *testing.T, o *procpool.Options, groups ...*procpool.Group) *running {
	t.Helper()
	r := prepare(t, o, groups...)
	r.start()
	return r
}

// prepare makes a pool with Options, of which Event is set.
func prepare(t *testing.T, o *procpool.Options, groups ...*procpool.Group) *running {
	t.Helper()
	leaktest.Check(t)
	r := &running{T: t, events: make(chan procpool.Event, 1<<16), done: make(chan error, 1)}
	o.Event = func(e procpool.Event) { r.events <- e }
	pool, err := procpool.New(groups, o)
	if err != nil {
		t.Fatal(err)
	}
	r.Pool = pool
	return r
}

// start runs the pool until the test ends.
func (r *running) start() {
	r.Helper()
	ctx, cancel := context.WithCancel(r.Context())
	r.cancel = cancel
	go func() { r.done <- r.Pool.Run(ctx) }()
	r.Cleanup(func() {
		r.Kill()
		cancel()
		if err := <-r.done; err != nil { // as stop may have told
			r.Errorf("Run: %v", err)
		}
	})
}

// until returns the next event of that kind.
func (r *running) until(kind procpool.EventKind) procpool.Event {
	r.Helper()
	late := time.After(2 * time.Minute)
	for {
		select {
		case e := <-r.events:
			if e.Kind == kind {
				return e
			}
		case <-late:
			r.Fatalf("no event %q", kind)
		}
	}
}

// stop stops the pool, and returns what Run did.
func (r *running) stop() error {
	r.cancel()
	err := <-r.done
	r.done <- err
	return err
}
