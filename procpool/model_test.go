//go:build linux

package procpool

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// A puppet is a fake that does what the test says, by its process ID.
func (m *model) puppet(f *fake) int {
	does := make(chan any)
	m.w.mu.Lock()
	m.puppets[f.pid] = does
	m.w.mu.Unlock()
	for {
		select {
		case s := <-does:
			switch s := s.(type) {
			case word:
				f.say(s)
			case int:
				return s
			}
		case <-f.killed:
			return -1
		case <-f.orders:
		case <-f.signals:
		}
	}
}

// A model is a pool of puppets, and what must hold for it.
type model struct {
	w       *world
	puppets map[int]chan any // of all processes that were started, by PID
	reloads []<-chan error
	wrong   []string
}

func newModel(t *testing.T) *model {
	t.Helper()
	m := &model{puppets: make(map[int]chan any)}
	groups := []*Group{
		{Name: "a", Count: 2, Start: 3 * time.Second, Drain: time.Second, Grace: time.Second},
		{Name: "b", Start: 3 * time.Second, Drain: time.Second, Grace: time.Second, Restart: Restart{Policy: OnFailure}},
	}
	m.w = newWorldOf(t, groups, nil, func(_, incarnation int) (func(*fake) int, error) {
		if incarnation%5 == 4 {
			return nil, errNoFork
		}
		return m.puppet, nil
	})
	go m.w.run()
	return m
}

// do does the step that a number stands for, to one of the processes that live.
func (m *model) do(step uint32) {
	say := func(what any) {
		if alive := m.alive(); len(alive) > 0 {
			alive[int(step>>8)%len(alive)] <- what
		}
	}
	switch step % 16 {
	case 0, 1, 2, 3, 4:
		say(wordReady)
	case 5:
		say(wordRetire)
	case 6:
		say(wordDetach)
	case 7:
		say(0)
	case 8, 9:
		say(1)
	case 10:
		say(word(step>>16) | 1) // anything but wordExited
	case 11:
		m.reloads = append(m.reloads, m.w.reloading([][]string{nil, {"a"}, {"b"}, {"a", "b"}}[step>>8%4]...))
	default:
		time.Sleep(time.Duration(step>>8%5000) * time.Millisecond)
	}
	synctest.Wait()
	m.check()
}

// alive returns what moves the processes that have not ended, by PID.
func (m *model) alive() []chan any {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	pids := slices.Sorted(maps.Keys(m.puppets))
	for _, e := range m.w.all {
		if e.Kind == Exited {
			pids = slices.DeleteFunc(pids, func(pid int) bool { return pid == e.PID })
		}
	}
	var all []chan any
	for _, pid := range pids {
		all = append(all, m.puppets[pid])
	}
	return all
}

// check looks for what must never be.
func (m *model) check() {
	current, successors := make(map[string]int), 0
	for _, st := range m.w.Status() {
		slot := fmt.Sprint(st.Group, st.Slot)
		switch {
		case st.Successor:
			successors++
			m.must(st.State == StateStarting, "a successor that is %v", st.State)
		case st.State == StateStarting, st.State == StateIdle:
			current[slot]++
		}
		m.must((st.PID == 0) == (st.State == StateBackoff || st.State == StateFinished), "%+v", st)
	}
	for slot, n := range current {
		m.must(n == 1, "%d workers serve in slot %s", n, slot)
	}
	m.must(successors <= 1, "%d successors, Surge is 1", successors)
	m.must(successors <= len(m.w.turns), "%d successors with %d turns", successors, len(m.w.turns))
}

func (m *model) must(ok bool, format string, args ...any) {
	if !ok {
		m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
	}
}

// finish stops the pool, and checks what it has told.
func (m *model) finish() {
	m.w.cancel()
	err := <-m.w.done
	m.must(err == nil, "Run: %v", err)
	for i, done := range m.reloads {
		select {
		case err := <-done:
			var aborted *ReloadError
			ok := err == nil || errors.Is(err, ErrStopping) || errors.Is(err, ErrNotRunning) || errors.As(err, &aborted)
			m.must(ok, "Reload: %v", err)
		case <-time.After(time.Hour):
			m.must(false, "reload %d of %d does not end", i, len(m.reloads))
		}
	}
	m.must(len(m.w.turns) == 0, "%d turns were not given back", len(m.w.turns))
	started, ended := make(map[int]int), make(map[int]int)
	var count Counters
	for _, e := range m.w.all {
		switch e.Kind {
		case Started:
			started[e.PID]++
			count.Starts++
		case Exited:
			ended[e.PID]++
			count.Exits++
			m.must(started[e.PID] == 1, "%d has ended before it was started", e.PID)
			if !e.Expected && !e.Exit.OK() {
				count.Failures++
			}
		case StartFailed:
			count.StartFailures++
		case Killed:
			count.Kills++
		case Detached:
			count.Detachments++
		case Reloading:
			count.Reloads++
		case Reloaded:
			if e.Err != nil {
				count.Aborts++
			}
		case Ready, Draining, Stopping, Waiting, Finished, PoolStopping:
		}
	}
	for pid, n := range ended {
		m.must(n == 1 && started[pid] == 1, "%d was started %d times, and has ended %d times", pid, started[pid], n)
	}
	got := m.w.Counters()
	count.Restarts, count.Retirements = got.Restarts, got.Retirements // no events of their own
	m.must(len(ended) == len(started) && got == count, "%+v, want %+v", got, count)
}

// Whatever workers do, and whenever reloads come: nothing is started twice, nothing is
// left behind, and all that is told adds up.
func TestModel(t *testing.T) {
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 500
	properties := gopter.NewProperties(parameters)
	properties.Property("the pool keeps its order", prop.ForAll(func(steps []uint32) string {
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t)
			synctest.Wait()
			for _, step := range steps {
				m.do(step)
			}
			m.finish()
			wrong = m.wrong
		})
		return strings.Join(wrong, "; ")
	}, gen.SliceOf(gen.UInt32())))
	properties.TestingRun(t)
}
