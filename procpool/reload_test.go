//go:build linux

package procpool

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reloading calls Reload in a goroutine of its own.
func (w *world) reloading(groups ...string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- w.Reload(w.Context(), groups...) }()
	synctest.Wait()
	return done
}

// One slot after the other gets a successor; the old ones drain beside that.
func TestReloadInTurns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 2}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if incarnation == 1 {
				return busy(5 * time.Second), nil
			}
			return after(time.Second), nil
		})
		n := len(w.since(0))
		done := w.reloading()
		if got := w.states(); got != "0.1 idle, 0.2 starting, 1.1 idle" && got != "0.1 idle, 1.1 idle, 1.2 starting" {
			t.Errorf("states: %s; want one successor", got)
		}
		for _, st := range w.Status() {
			if st.Successor != (st.State == StateStarting) {
				t.Errorf("%+v", st)
			}
		}
		time.Sleep(1500 * ms)
		if got := w.states(); got != "0.1 draining, 0.2 idle, 1.1 idle, 1.2 starting" && got != "0.1 idle, 0.2 starting, 1.1 draining, 1.2 idle" {
			t.Errorf("states: %s; want one draining beside its successor, and another one that starts", got)
		}
		if err := <-done; err != nil || time.Since(w.began) != 7*time.Second {
			t.Errorf("Reload: %v, after %v", err, time.Since(w.began))
		}
		w.ordered(n, "reload", "0s: reloading", "7s: reloaded")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if want := (Counters{Starts: 4, Exits: 4, Reloads: 1}); w.Counters() != want {
			t.Errorf("%+v, want %+v", w.Counters(), want)
		}
	})
}

// Eight workers that take 3 s each have a bound of 10 s each, not all together.
func TestSlowDrains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 8}}, nil, func(slot, incarnation int) (func(*fake) int, error) {
			if incarnation == 1 {
				return busy(9 * time.Second), nil
			}
			return after(3 * time.Second), nil
		})
		if err := w.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		if c := w.Counters(); c.Kills != 0 || time.Since(w.began) != (8*3+9)*time.Second {
			t.Errorf("%+v after %v; want none killed", c, time.Since(w.began))
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestSurge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 8}}, &Options{Surge: 4}, always(after(time.Second)))
		time.Sleep(time.Second)
		done := w.reloading()
		if n := strings.Count(w.states(), "starting"); n != 4 {
			t.Errorf("%d successors, want 4: %s", n, w.states())
		}
		if err := <-done; err != nil || time.Since(w.began) != 3*time.Second {
			t.Errorf("Reload: %v, after %v", err, time.Since(w.began))
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A worker that hangs is killed when its time is up, and the reload goes on.
func TestReloadOfWhatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Drain: time.Second, Grace: 2 * time.Second}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if incarnation == 1 {
				return deafWorker, nil
			}
			return good, nil
		})
		if err := w.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		w.expect("0s: a 0.1 started", "0s: a 0.1 ready", "0s: reloading", "0s: a 0.2 started", "0s: a 0.2 ready",
			"0s: a 0.1 draining", "1s: a 0.1 stopping", "3s: a 0.1 killed", "3s: a 0.1 exited: signal: killed", "3s: reloaded")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A successor that fails, in whatever way, costs nothing: who served serves on, and
// no restart is used up.
func TestReloadAborts(t *testing.T) {
	for name, test := range map[string]struct {
		life func(*fake) int
		err  error // of the start
		want error
	}{
		"never starts": {nil, errNoFork, errNoFork},
		"never ready":  {silent, nil, ErrStartTime},
		"ends early":   {func(*fake) int { return 3 }, nil, ErrEnded},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, []*Group{{Name: "a", Count: 3}}, nil, func(_, incarnation int) (func(*fake) int, error) {
					if incarnation > 1 {
						return test.life, test.err
					}
					return good, nil
				})
				for range 10 { // more than there are restarts
					err := w.Reload(t.Context())
					failed := new(ReloadError)
					if !errors.As(err, &failed) || !errors.Is(err, test.want) || failed.Group != "a" {
						t.Errorf("Reload: %v, want %v", err, test.want)
					}
				}
				synctest.Wait()
				for _, st := range w.Status() {
					if st.Incarnation != 1 || st.State != StateIdle || st.Restarts != 0 {
						t.Errorf("%+v, want the first one", st)
					}
				}
				if c := w.Counters(); c.Reloads != 10 || c.Aborts != 10 || c.Restarts != 0 {
					t.Errorf("%+v, want 10 reloads, aborted", c)
				}
				if err := w.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Whoever asks while a reload goes on gets the next one, all of them the same.
func TestReloadsCollapse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}, {Name: "b"}, {Name: "c", Kind: UserProcesses}, {Name: "d", Kind: UserProcesses, Reload: true}}, nil, always(after(time.Second)))
		time.Sleep(time.Second)
		first := w.reloading("a")
		var others []<-chan error
		for range 10 {
			others = append(others, w.reloading("a"), w.reloading("b"))
		}
		for _, done := range append(others, first) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		w.in("0.3 idle, 0.2 idle, 0.1 idle, 0.1 idle")
		if err := w.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		w.in("0.4 idle, 0.3 idle, 0.1 idle, 0.2 idle")
		if err := w.Reload(t.Context(), "c"); err != nil {
			t.Error(err)
		}
		w.in("0.4 idle, 0.3 idle, 0.2 idle, 0.2 idle")
		if err := w.Reload(t.Context(), "a", "x"); err == nil || err.Error() != `procpool: no group "x"` {
			t.Errorf("Reload: %v", err)
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if c := w.Counters(); c.Reloads != 4 || c.Aborts != 0 {
			t.Errorf("%+v, want 4 reloads", c)
		}
	})
}

// The context of who waits does not end the reload.
func TestReloadIsNotWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(after(time.Second)))
		time.Sleep(time.Second)
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(errNoFork)
		if err := w.Reload(ended); !errors.Is(err, errNoFork) {
			t.Errorf("Reload: %v", err)
		}
		time.Sleep(time.Second)
		w.in("0.2 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}
