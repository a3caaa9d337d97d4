//go:build linux

package procpool

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A stop ends a reload, whatever that is at.
func TestStopWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for at := range 8 {
			w := newWorld(t, []*Group{{Name: "a", Count: 3}}, nil, func(_, incarnation int) (func(*fake) int, error) {
				if incarnation == 1 {
					return busy(1500 * ms), nil
				}
				return after(time.Second), nil
			})
			now, next := w.reloading(), w.reloading()
			time.Sleep(time.Duration(at) * 500 * ms)
			err := w.stop()
			if err := errors.Join(err, w.end()); err != nil {
				t.Errorf("Run: %v", err)
			}
			for _, err := range []error{<-now, <-next} {
				if !errors.Is(err, ErrStopping) {
					t.Errorf("Reload: %v", err)
				}
			}
			if c := w.Counters(); c.Starts != c.Exits || c.Reloads != 1 || c.Aborts != 1 {
				t.Errorf("%+v, want all to have ended, in one reload", c)
			}
		}
	})
}

// Workers that go, die or wait while a reload is at them are replaced all the same.
func TestReloadOfTheDead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}, {Name: "b"}, {Name: "c", Restart: Restart{Burst: -1, Min: time.Minute, Max: time.Minute}}, {Name: "d"}}, nil,
			func(slot, incarnation int) (func(*fake) int, error) {
				switch {
				case slot == 0 && incarnation == 1: // while its successor starts
					return lasts(1500*ms, 1), nil
				case slot == 1 && incarnation == 1: // detaches meanwhile
					return func(f *fake) int {
						f.say(wordReady)
						time.Sleep(1500 * ms)
						f.say(wordDetach)
						time.Sleep(time.Minute)
						return 1
					}, nil
				case slot == 2 && incarnation == 1: // waits in backoff
					return lasts(500*ms, 1), nil
				case slot == 3 && incarnation == 1: // is not ready yet
					return after(1500 * ms), nil
				}
				return after(time.Second), nil
			})
		time.Sleep(time.Second)
		w.in("0.1 idle, 0.1 idle, 0.1 backoff, 0.1 starting")
		done := w.reloading()
		if err := <-done; err != nil {
			t.Error(err)
		}
		got := w.states()
		if strings.Contains(got, "starting") || strings.Contains(got, "backoff") || strings.Count(got, "idle") != 4 {
			t.Errorf("states: %s", got)
		}
		for _, st := range w.Status() {
			if st.State == StateIdle && st.Incarnation == 1 {
				t.Errorf("%+v was not replaced", st)
			}
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A reload of what has finished meanwhile, or of a pool that nothing is left of, ends.
func TestReloadOfWhatHasFinished(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, []*Group{{Name: "a", Restart: Restart{Policy: Never}}}, nil, always(lasts(time.Second, 0)))
		var late <-chan error
		w.options.Event = func(e Event) {
			if e.Kind == Finished {
				done := make(chan error, 1)
				late = done
				go func() { done <- w.Reload(w.Context()) }()
			}
		}
		go w.run()
		if err := <-w.done; err != nil {
			t.Error(err)
		}
		if err := <-late; err != nil && !errors.Is(err, ErrNotRunning) {
			t.Errorf("Reload: %v", err)
		}
	})
}

// A retirement takes a turn, as a reload does, and the reload takes it along.
func TestRetirements(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 3}}, nil, func(slot, incarnation int) (func(*fake) int, error) {
			return func(f *fake) int {
				if incarnation == 2 && slot == 0 {
					return 9 // the first attempt
				}
				time.Sleep(time.Second)
				f.say(wordReady)
				if incarnation == 1 {
					f.say(wordRetire, wordRetire)
				}
				return f.untilAsked()
			}, nil
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if n := strings.Count(w.states(), "starting"); n > 1 {
			t.Errorf("%d successors at a time: %s", n, w.states())
		}
		time.Sleep(10 * time.Second)
		w.in("0.3 idle, 1.2 idle, 2.2 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if c := w.Counters(); c.Retirements != 3 || c.Starts != 7 || c.Exits != 7 || c.Failures != 1 {
			t.Errorf("%+v", c)
		}
	})
}
