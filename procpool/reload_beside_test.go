//go:build linux

package procpool

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// asks returns a life that takes a while to be ready, asks for a successor, and then
// takes so long to finish.
func asks(start, drain time.Duration) func(*fake) int {
	return func(f *fake) int {
		time.Sleep(start)
		f.say(wordReady, wordRetire)
		return f.finish(drain)
	}
}

// finish waits until the worker is asked to go, and goes so long after that.
func (f *fake) finish(d time.Duration) int {
	<-f.orders
	select {
	case <-time.After(d):
		return 0
	case <-f.killed:
		return -1
	}
}

// What was started before a reload is replaced by it, also where it was itself to
// replace a worker at that one's wish, and whatever is still to be finished.
func TestReloadOfWhatRetires(t *testing.T) {
	for name, test := range map[string]struct {
		at   time.Duration // of the reload
		want string
	}{
		"successor starts":     {1500 * ms, "8s: reloaded"},   // ready at 2 s, replaced at 3 s
		"predecessor finishes": {2500 * ms, "8.5s: reloaded"}, // replaced at 3.5 s
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
					if incarnation == 1 {
						return asks(time.Second, 5*time.Second), nil
					}
					return func(f *fake) int {
						time.Sleep(time.Second)
						f.say(wordReady)
						return f.finish(5 * time.Second)
					}, nil
				})
				time.Sleep(test.at)
				if err := w.Reload(t.Context()); err != nil {
					t.Errorf("Reload: %v", err)
				}
				w.in("0.3 idle")
				w.ordered(0, "reloaded", test.want)
				if err := w.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A successor that was not started for the reload does not end it when it fails.
func TestReloadAndAnothersFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			switch incarnation {
			case 1:
				return asks(0, 0), nil
			case 2:
				return func(*fake) int { time.Sleep(time.Second); return 1 }, nil
			}
			return after(time.Second), nil
		})
		w.in("0.1 idle, 0.2 starting")
		if err := w.Reload(t.Context()); err != nil {
			t.Errorf("Reload: %v", err)
		}
		w.in("0.3 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A worker that was started during the reload, because the one before had ended, is
// new: it is not replaced again. If it fails, the reload is aborted.
func TestReloadAndRestarts(t *testing.T) {
	for _, fails := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, []*Group{{Name: "a", Count: 2}}, nil, func(slot, incarnation int) (func(*fake) int, error) {
				switch {
				case incarnation == 1:
					return lasts(1500*ms, 1), nil // while one of them has its turn
				case fails:
					return func(*fake) int { time.Sleep(time.Second); return 3 }, nil
				}
				return after(time.Second), nil
			})
			time.Sleep(time.Second)
			err := <-w.reloading()
			if errors.As(err, new(*ReloadError)) != fails || time.Since(w.began) > 3*time.Second {
				t.Errorf("Reload: %v, after %v", err, time.Since(w.began))
			}
			if !fails {
				w.in("0.2 idle, 1.2 idle")
			}
			if err := w.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A reload waits for the end of all whose place it has taken, also if their successor
// ends before them.
func TestReloadWaitsForAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			switch incarnation {
			case 1:
				return busy(5 * time.Second), nil
			case 2:
				return lasts(time.Second, 1), nil
			}
			return good, nil
		})
		if err := w.Reload(t.Context()); err != nil || time.Since(w.began) != 5*time.Second {
			t.Errorf("Reload: %v, after %v, want 5s", err, time.Since(w.began))
		}
		w.in("0.3 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// The successor of a reload that is aborted elsewhere may want one of its own before
// its predecessor is gone.
func TestRetirementAfterAbort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 2}}, &Options{Surge: 2}, func(slot, incarnation int) (func(*fake) int, error) {
			switch {
			case incarnation == 1 && slot == 0:
				return busy(5 * time.Second), nil
			case incarnation == 2 && slot == 0:
				return func(f *fake) int {
					f.say(wordReady)
					time.Sleep(1500 * ms)
					f.say(wordRetire)
					return f.untilAsked()
				}, nil
			case incarnation == 2:
				return func(*fake) int { time.Sleep(time.Second); return 1 }, nil
			}
			return good, nil
		})
		done := w.reloading()
		time.Sleep(2 * time.Second)
		w.in("0.1 draining, 0.3 idle, 1.1 idle")
		if err := <-done; !errors.As(err, new(*ReloadError)) || time.Since(w.began) != 5*time.Second {
			t.Errorf("Reload: %v, after %v, want one that is aborted, 5s", err, time.Since(w.began))
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A slot that gets no worker any more keeps no reload waiting, whoever is still there.
func TestReloadBesideTheDetached(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Restart: Restart{Policy: Never}}, {Name: "b"}}, nil, func(slot, incarnation int) (func(*fake) int, error) {
			switch {
			case slot == 1:
				return good, nil
			case incarnation == 1:
				return func(f *fake) int { f.say(wordReady, wordDetach); return f.untilAsked() }, nil
			}
			return lasts(time.Second, 0), nil
		})
		time.Sleep(time.Minute)
		w.in("0.1 detached, 0.2 finished, 0.1 idle")
		done := w.reloading()
		w.in("0.1 detached, 0.2 finished, 0.2 idle")
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Reload: %v", err)
			}
		case <-time.After(time.Hour):
			t.Error("Reload does not return")
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// No groups are all groups, however that is said.
func TestReloadOfAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(good))
		if err := w.Reload(t.Context(), []string{}...); err != nil {
			t.Error(err)
		}
		w.in("0.2 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A stop leaves those who already finish the time that they have been given.
func TestStopDuringDrain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if incarnation == 1 {
				return busy(9 * time.Second), nil
			}
			return busy(3 * time.Second), nil
		})
		done := w.reloading()
		time.Sleep(5 * time.Second)
		n := len(w.since(0))
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, ErrStopping) {
			t.Errorf("Reload: %v", err)
		}
		synctest.Wait()
		w.ordered(n, "a", "5s: a 0.2 draining", "8s: a 0.2 exited: exit code 0", "9s: a 0.1 exited: exit code 0")
	})
}
