//go:build linux

package procpool

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// delays returns how long the slots have waited before starts, in order.
func (w *world) delays() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Duration
	for _, e := range w.all {
		if e.Kind == Waiting {
			all = append(all, e.Delay)
		}
	}
	return all
}

// near checks that delays are as wanted, up to 20 % more or less.
func near(t *testing.T, got []time.Duration, want ...time.Duration) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = got[i] >= want[i]*8/10 && got[i] <= want[i]*12/10
	}
	if !ok {
		t.Errorf("waited %v, want %v, up to 20 %% more or less", got, want)
	}
}

const ms = time.Millisecond

// Five restarts are immediate, then each takes longer than the one before, up to the
// cap. A worker that has served for a while ends that, and brings one of the five back.
func TestCrashLoop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			switch {
			case incarnation == 15:
				return lasts(2*time.Second, 1), nil
			case incarnation > 18:
				return good, nil
			case incarnation%2 == 0:
				return nil, errNoFork
			}
			return lasts(-1, 1), nil
		})
		for len(w.delays()) == 0 {
			synctest.Wait()
		}
		if n := w.incarnations(); n != 6 {
			t.Errorf("%d workers at once, want 6", n)
		}
		w.in("0.6 backoff")
		if st := w.Status()[0]; time.Until(st.NextStart) != w.delays()[0] || st.Restarts != 5 || st.PID != 0 || st.LastExit.Code != 1 {
			t.Errorf("%+v, want backoff for %v, after 5 restarts", st, w.delays()[0])
		}
		time.Sleep(time.Minute)
		w.in("0.19 idle")
		near(t, w.delays(), 100*ms, 200*ms, 400*ms, 800*ms, 1600*ms, 3200*ms, 5*time.Second, 5*time.Second, 5*time.Second,
			100*ms, 200*ms, 400*ms) // the one after 15 is immediate
		if st := w.Status()[0]; !st.NextStart.IsZero() || st.Restarts != 18 {
			t.Errorf("%+v, want 18 restarts", st)
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if want := (Counters{Starts: 10, Exits: 10, Failures: 9, StartFailures: 9, Restarts: 18}); w.Counters() != want {
			t.Errorf("%+v, want %+v", w.Counters(), want)
		}
	})
}

// incarnations returns how many starts there were, or attempts, of slot 0.
func (w *world) incarnations() int { return w.Status()[0].Incarnation }

// One immediate restart is regained for each 2 s of readiness, up to five.
func TestRegain(t *testing.T) {
	for _, test := range []struct {
		serves    time.Duration
		immediate int
	}{{1999 * ms, 0}, {2 * time.Second, 1}, {7 * time.Second, 3}, {time.Hour, 5}} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
				if incarnation == 6 { // nothing is left
					return lasts(test.serves, 0), nil
				}
				return lasts(-1, 0), nil
			})
			time.Sleep(test.serves)
			synctest.Wait()
			if n := w.incarnations() - 6; n != test.immediate {
				t.Errorf("%d immediate restarts after %v, want %d", n, test.serves, test.immediate)
			}
			if err := w.stop(); err != nil {
				t.Error(err)
			}
			if c := w.Counters(); c.Failures != 0 { // they have exited with 0
				t.Errorf("%+v, want no failure", c)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	for _, test := range []struct {
		policy Policy
		codes  []int
		starts int64
	}{{OnFailure, []int{1, 2, 0}, 3}, {Never, []int{1}, 1}, {Never, []int{0}, 1}} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, []*Group{{Name: "a", Restart: Restart{Policy: test.policy}}}, nil, func(_, incarnation int) (func(*fake) int, error) {
				return lasts(time.Second, test.codes[incarnation-1]), nil
			})
			if err := <-w.done; err != nil { // nothing is left to be run
				t.Errorf("Run: %v", err)
			}
			w.in("0." + string(rune('0'+test.starts)) + " finished")
			all := w.since(0)
			if c := w.Counters(); c.Starts != test.starts || !strings.HasSuffix(all[len(all)-1], "finished") {
				t.Errorf("%+v, last %q; want %d starts", c, all[len(all)-1], test.starts)
			}
		})
	}
}

// Who finishes does so once what is on its way out has ended, too.
func TestFinishedBesideOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Restart: Restart{Policy: Never}}, {Name: "b"}}, nil, func(slot, incarnation int) (func(*fake) int, error) {
			switch {
			case slot == 0 && incarnation == 1:
				return busy(5 * time.Second), nil
			case slot == 0:
				return lasts(time.Second, 3), nil
			}
			return good, nil
		})
		if err := w.Reload(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		w.in("0.2 finished, 0.1 idle")
		w.ordered(0, "a 0.2", "0s: a 0.2 started", "0s: a 0.2 ready", "1s: a 0.2 exited: exit code 3", "5s: a 0.2 finished")
		if err := w.Reload(t.Context()); err != nil { // of b alone
			t.Error(err)
		}
		w.in("0.2 finished, 0.2 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestMaxFailures(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 2, Restart: Restart{MaxFailures: 3}}}, nil, func(slot, incarnation int) (func(*fake) int, error) {
			if slot == 0 || incarnation == 3 { // which is a recovery
				return lasts(time.Minute, 0), nil
			}
			return lasts(time.Second, 7), nil
		})
		err := <-w.done
		failed := new(FailedError)
		if !errors.As(err, &failed) || failed.Slot != 1 || !errors.Is(err, ErrEnded) ||
			err.Error() != "procpool: group a, slot 1 keeps failing: procpool: ended: exit code 7" {
			t.Errorf("Run: %v", err)
		}
		if n := w.Status()[1].Incarnation; n != 7 {
			t.Errorf("%d workers, want 7", n)
		}
	})
}

// A pool whose starts fail, and which has no backoff, can be stopped.
func TestStopOfWhatCannotStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		starts := 0
		var w *world
		w = newWorldOf(t, []*Group{{Name: "a", Restart: Restart{Burst: 1 << 30}}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if starts = incarnation; starts == 1000 {
				w.cancel()
			}
			return nil, errNoFork
		})
		go w.run()
		if err := <-w.done; err != nil || starts < 1000 {
			t.Errorf("Run: %v, after %d starts", err, starts)
		}
	})
}
