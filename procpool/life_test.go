//go:build linux

package procpool

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/userprocess"
)

// program is another program, which says nothing.
func program() userprocess.Command { return userprocess.Command{Path: "/bin/program"} }

// after returns a life that is ready after so long, and then good.
func after(d time.Duration) func(*fake) int {
	return func(f *fake) int {
		time.Sleep(d)
		return good(f)
	}
}

// busy returns a life that takes so long to finish when it is asked to.
func busy(d time.Duration) func(*fake) int {
	return func(f *fake) int {
		f.say(wordReady)
		<-f.orders
		select {
		case <-time.After(d):
			return 0
		case <-f.killed:
			return -1
		}
	}
}

// silent returns a life that says nothing, and ends by a signal.
func silent(f *fake) int {
	select {
	case <-f.signals:
		return 0
	case <-f.killed:
		return -1
	}
}

func TestStartAndStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		groups := []*Group{{Name: "a", Count: 2}, {Name: "b", Kind: UserProcesses, Command: program()}}
		w := newWorld(t, groups, nil, func(slot, _ int) (func(*fake) int, error) {
			if slot == 2 {
				return silent, nil
			}
			return after(time.Duration(slot+1) * time.Second), nil
		})
		w.in("0.1 starting, 1.1 starting, 0.1 idle")
		time.Sleep(time.Second)
		w.in("0.1 idle, 1.1 starting, 0.1 idle")
		time.Sleep(time.Hour)
		w.in("0.1 idle, 1.1 idle, 0.1 idle")
		n := len(w.since(0))
		if err := w.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		w.in("0.1 finished, 1.1 finished, 0.1 finished")
		w.ordered(n, "a 0.1", "1h0m1s: a 0.1 draining", "1h0m1s: a 0.1 exited: exit code 0")
		w.ordered(n, "b 0.1", "1h0m1s: b 0.1 stopping", "1h0m1s: b 0.1 exited: exit code 0")
		if want := (Counters{Starts: 3, Exits: 3}); w.Counters() != want {
			t.Errorf("%+v, want %+v", w.Counters(), want)
		}
	})
}

// A worker that takes its time has Drain, then it gets SIGTERM, and Grace later it is
// killed; each of them at a time of its own.
func TestStopLadder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Count: 3}}, nil, func(slot, _ int) (func(*fake) int, error) {
			return busy([]time.Duration{3, 15, 3600}[slot] * time.Second), nil
		})
		n := len(w.since(0))
		if err := w.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		w.ordered(n, "pool", "0s: pool stopping")
		w.ordered(n, "a 0", "0s: a 0.1 draining", "3s: a 0.1 exited: exit code 0")
		w.ordered(n, "a 1", "0s: a 1.1 draining", "10s: a 1.1 stopping", "15s: a 1.1 exited: exit code 0")
		w.ordered(n, "a 2", "0s: a 2.1 draining", "10s: a 2.1 stopping", "20s: a 2.1 killed", "20s: a 2.1 exited: signal: killed")
		if want := (Counters{Starts: 3, Exits: 3, Kills: 1}); w.Counters() != want {
			t.Errorf("%+v, want %+v", w.Counters(), want)
		}
	})
}

func TestStopWhileItStarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(silent))
		if err := w.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		w.expect("0s: a 0.1 started", "0s: pool stopping", "0s: a 0.1 stopping", "0s: a 0.1 exited: exit code 0")
	})
}

func TestKill(t *testing.T) {
	for name, before := range map[string]func(w *world){
		"running":  func(*world) {},
		"stopping": func(w *world) { w.cancel(); time.Sleep(15 * time.Second) },
		"killed":   func(w *world) { w.Kill(); w.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, []*Group{{Name: "a", Count: 2}}, nil, always(deafWorker))
				before(w)
				began := time.Now()
				w.Kill()
				if err := <-w.done; err != nil || time.Since(began) > 0 {
					t.Errorf("Run: %v, after %v", err, time.Since(began))
				}
				if want := (Counters{Starts: 2, Exits: 2, Kills: 2}); w.Counters() != want {
					t.Errorf("%+v, want %+v", w.Counters(), want)
				}
			})
		})
	}
}

// A process that has got its SIGKILL, and does not go, gets no other one.
func TestKillWhatHasBeenKilled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(func(f *fake) int {
			f.say(wordReady)
			<-f.killed
			time.Sleep(time.Minute) // in the kernel
			return -1
		}))
		w.cancel()
		time.Sleep(30 * time.Second)
		w.Kill()
		if err := <-w.done; err != nil || w.Counters().Kills != 1 {
			t.Errorf("%v, %+v, want one kill", err, w.Counters())
		}
	})
}

func TestNeverReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Start: time.Second, Grace: 3 * time.Second, Restart: Restart{MaxFailures: 1}}}, nil,
			func(_, incarnation int) (func(*fake) int, error) {
				if incarnation == 1 {
					return silent, nil
				}
				return func(f *fake) int {
					<-f.signals
					f.say(wordReady) // too late
					<-f.killed
					return -1
				}, nil
			})
		err := <-w.done
		failed := new(FailedError)
		if !errors.As(err, &failed) || !errors.Is(err, ErrStartTime) || failed.Group != "a" {
			t.Errorf("Run: %v", err)
		}
		w.expect(
			"0s: a 0.1 started", "1s: a 0.1 start failed: procpool: not ready in time, 1s",
			"1s: a 0.1 stopping", "1s: a 0.1 exited: exit code 0",
			"1s: a 0.2 started", "2s: a 0.2 start failed: procpool: not ready in time, 1s",
			"2s: a 0.2 stopping", "5s: a 0.2 killed", "5s: a 0.2 exited: signal: killed",
			"5s: pool stopping")
	})
}

func TestDetached(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if incarnation > 1 {
				return good, nil
			}
			return func(f *fake) int {
				f.say(wordDetach) // not yet
				f.say(wordReady, wordDetach, wordDetach, wordRetire, 'x')
				time.Sleep(time.Minute)
				return 5
			}, nil
		})
		w.in("0.1 detached, 0.2 idle")
		if err := w.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		w.in("0.1 detached, 0.3 idle")
		time.Sleep(time.Hour)
		w.in("0.3 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if want := (Counters{Starts: 3, Exits: 3, Detachments: 1, Reloads: 1}); w.Counters() != want {
			t.Errorf("%+v, want %+v", w.Counters(), want)
		}
	})
}

func TestRunOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		p, err := New([]*Group{{Name: "a", Command: userprocess.Command{Role: "x"}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Reload(t.Context()); !errors.Is(err, ErrNotRunning) {
			t.Errorf("Reload before Run: %v", err)
		}
		p.slots[0].start = func(ctx context.Context, _ *proc, _ func(notice)) (child, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if err := p.Run(ended); err != nil {
			t.Errorf("Run with a context that has ended: %v", err)
		}
		if want := (Counters{}); p.Counters() != want {
			t.Errorf("%+v, want %+v", p.Counters(), want)
		}
		if err := p.Run(t.Context()); !errors.Is(err, ErrRunning) {
			t.Errorf("second Run: %v", err)
		}
		if err := p.Reload(t.Context()); !errors.Is(err, ErrNotRunning) {
			t.Errorf("Reload after Run: %v", err)
		}
	})
}

// What a worker says makes sense only where it is in its life.
func TestNonsense(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, always(func(f *fake) int {
			f.say(wordRetire, wordDetach, 'x', wordReady, wordReady, 'r', 255)
			<-f.orders
			f.say(wordReady, wordRetire, wordReady)
			time.Sleep(time.Second)
			return 0
		}))
		w.in("0.1 idle")
		if err := w.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		w.expect("0s: a 0.1 started", "0s: a 0.1 ready", "0s: reloading", "0s: a 0.2 started", "0s: a 0.2 ready",
			"0s: a 0.1 draining", "1s: a 0.1 exited: exit code 0", "1s: reloaded")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// Who hears of an event finds it in Status.
func TestStatusInEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, []*Group{{Name: "a", Restart: Restart{Burst: -1}}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if incarnation == 1 {
				return lasts(time.Second, 1), nil
			}
			return good, nil
		})
		var got []string
		w.options.Event = func(e Event) { got = append(got, e.Kind.String()+": "+w.states()) }
		go w.run()
		time.Sleep(2 * time.Second)
		if err := errors.Join(w.Reload(t.Context()), w.stop()); err != nil {
			t.Error(err)
		}
		want := []string{
			"started: 0.1 starting", "ready: 0.1 idle", "exited: 0.1 backoff", "waiting: 0.1 backoff",
			"started: 0.2 starting", "ready: 0.2 idle",
			"reloading: 0.2 idle", "started: 0.2 idle, 0.3 starting", "ready: 0.2 idle, 0.3 idle", "draining: 0.2 draining, 0.3 idle",
			"exited: 0.3 idle", "reloaded: 0.3 idle",
			"pool stopping: 0.3 idle", "draining: 0.3 draining", "exited: 0.3 finished",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
