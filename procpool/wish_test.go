//go:build linux

package procpool

import (
	"testing"
	"testing/synctest"
	"time"
)

// A worker that asks for a successor, or leaves, as soon as it is ready keeps no slot
// busy with starts: that is charged like restarts. One that serves while its slot waits
// earns by that.
func TestHaste(t *testing.T) {
	for name, test := range map[string]struct {
		life   func(*fake) int
		starts int64 // at most, in a minute
	}{
		"retires":           {func(f *fake) int { f.say(wordReady, wordRetire); return f.untilAsked() }, 90},
		"retires and exits": {func(f *fake) int { f.say(wordReady, wordRetire); return 0 }, 25},
		"detaches":          {func(f *fake) int { f.say(wordReady, wordDetach); return f.untilAsked() }, 25},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
					if incarnation > 100 {
						return good, nil // or it would never end
					}
					return test.life, nil
				})
				synctest.Wait()
				if c := w.Counters(); c.Starts != 6 || c.Restarts != 0 {
					t.Errorf("%+v, want 6 starts at once", c)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if c := w.Counters(); c.Starts > test.starts || c.Failures != 0 {
					t.Errorf("%+v in a minute, want at most %d starts", c, test.starts)
				}
				if err := w.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Who has been ready for a while is replaced at its wish free of charge.
func TestRetirementIsFree(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(func(f *fake) int {
			f.say(wordReady)
			select {
			case <-time.After(2 * time.Second):
			case <-f.orders:
				return 0
			}
			f.say(wordRetire)
			return f.untilAsked()
		}))
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		if c := w.Counters(); c.Starts != 30 || c.Retirements != 29 || len(w.delays()) != 0 {
			t.Errorf("%+v, waited %v; want a successor each 2 s", c, w.delays())
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A worker that is replaced just when it detaches has left all the same.
func TestDetachWhileDraining(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if incarnation > 1 {
				return good, nil
			}
			return func(f *fake) int {
				f.say(wordReady)
				<-f.orders
				time.Sleep(time.Second)
				f.say(wordDetach)
				return f.finish(5 * time.Second)
			}, nil
		})
		if err := w.Reload(t.Context()); err != nil || time.Since(w.began) != time.Second {
			t.Errorf("Reload: %v, after %v, want 1s", err, time.Since(w.began))
		}
		time.Sleep(time.Hour)
		w.in("0.1 detached, 0.2 idle")
		n := len(w.since(0))
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		w.ordered(n, "a 0.1", "1h0m1s: a 0.1 draining", "1h0m6s: a 0.1 exited: exit code 0")
	})
}

// A pool that stops has no time for who wants to detach then.
func TestDetachWhenItStops(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(func(f *fake) int {
			f.say(wordReady)
			<-f.orders
			f.say(wordDetach)
			<-f.killed
			return -1
		}))
		if err := w.stop(); err != nil || time.Since(w.began) != 20*time.Second {
			t.Errorf("Run: %v, after %v, want 20s", err, time.Since(w.began))
		}
	})
}

// The policy is about ends. A worker that serves on, because its successor has failed,
// gets another one.
func TestRetirementWhoseSuccessorFails(t *testing.T) {
	for _, policy := range []Policy{Always, OnFailure, Never} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, []*Group{{Name: "a", Restart: Restart{Policy: policy}}}, nil, func(_, incarnation int) (func(*fake) int, error) {
				switch incarnation {
				case 1:
					return func(f *fake) int { f.say(wordReady); time.Sleep(time.Minute); f.say(wordRetire); return f.untilAsked() }, nil
				case 2:
					return nil, errNoFork
				case 3:
					return lasts(-1, 0), nil
				case 4:
					return func(*fake) int { return 0 }, nil
				}
				return good, nil
			})
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if policy == Always {
				w.in("0.5 idle")
			}
			if err := w.stop(); err != nil {
				t.Error(err)
			}
			w.in(map[Policy]string{Always: "0.5 finished", OnFailure: "0.3 finished", Never: "0.3 finished"}[policy])
		})
	}
}
