//go:build linux

package procpool_test

import (
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/procpool"
)

// A worker that looks at nothing is killed when its time is up, in a reload and when
// the pool stops.
func TestDeafWorkers(t *testing.T) {
	g := role("deaf", 4)
	g.Drain, g.Grace = 50*time.Millisecond, 50*time.Millisecond
	r := run(t, g)
	for range 4 {
		r.until(procpool.Ready)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Errorf("Reload: %v", err)
	}
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if c := r.Counters(); c.Starts != 8 || c.Exits != 8 || c.Kills != 8 || c.Failures != 0 {
		t.Errorf("%+v, want 8 workers, killed", c)
	}
}

// A program that has changed for the worse, here by a role that fails from its second
// worker on, does not take the place of what works.
func TestReloadOfWhatFails(t *testing.T) {
	r := run(t, role("once", 2))
	for range 2 {
		r.until(procpool.Ready)
	}
	for range 3 {
		err := r.Reload(t.Context())
		if want := `procpool: reload aborted: group once, slot`; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Reload: %v", err)
		}
	}
	for _, st := range r.Status() {
		if st.Incarnation != 1 || st.State != procpool.StateIdle || st.Restarts != 0 {
			t.Errorf("%+v, want the first worker", st)
		}
	}
}

func TestRetirement(t *testing.T) {
	g := role("retire", 2)
	g.Requests = 1
	r := run(t, g)
	for range 10 {
		if e := r.until(procpool.Exited); !e.Expected || !e.Exit.OK() {
			t.Errorf("%v, want an end in order", e)
		}
	}
	if c := r.Counters(); c.Retirements < 10 || c.Restarts != 0 {
		t.Errorf("%+v, want retirements, and no restart", c)
	}
}

// A worker that detaches goes on beside its successor, until the pool stops.
func TestDetach(t *testing.T) {
	r := run(t, role("detach", 1))
	for range 2 {
		r.until(procpool.Ready)
	}
	if st := r.Status(); len(st) != 2 || st[0].State != procpool.StateDetached || st[1].State != procpool.StateIdle || st[1].Restarts != 0 {
		t.Errorf("%+v, want one detached, and one in its place", st)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if st := r.Status(); len(st) != 2 || st[0].Incarnation != 1 {
		t.Errorf("%+v, want the detached one not reloaded", st)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if c := r.Counters(); c.Exits != 3 || c.Failures != 0 || c.Detachments != 1 {
		t.Errorf("%+v", c)
	}
}
