//go:build linux

package procpool

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// What a worker has earned by serving is the slot's, also when it is replaced.
func TestReplacedWorkersRegain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a"}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			switch incarnation {
			case 7, 14:
				return good, nil
			case 8:
				return lasts(time.Millisecond, 1), nil // takes the place of 7
			}
			return lasts(-1, 1), nil
		})
		time.Sleep(11 * time.Second) // of which 10 are worth 5 restarts
		w.in("0.7 idle")
		if err := w.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		w.in("0.14 idle")
		near(t, w.delays(), 100*ms, 100*ms) // before 7, and before 14
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A worker that is not ready in time has failed, whatever its exit code.
func TestLateIsFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Start: time.Second, Restart: Restart{Policy: OnFailure}}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			if incarnation == 1 {
				return silent, nil
			}
			return good, nil
		})
		time.Sleep(2 * time.Second)
		w.in("0.2 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// The time for the start of a process is part of the time until it is ready.
func TestStartIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, []*Group{{Name: "a", Start: 3 * time.Second}}, nil, always(silent))
		start := w.slots[0].start
		w.slots[0].start = func(ctx context.Context, p *proc, tell func(notice)) (child, error) {
			time.Sleep(2 * time.Second)
			return start(ctx, p, tell)
		}
		go w.run()
		time.Sleep(4 * time.Second)
		w.expect("2s: a 0.1 started", "3s: a 0.1 start failed: procpool: not ready in time, 3s",
			"3s: a 0.1 stopping", "3s: a 0.1 exited: exit code 0")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A successor that is too late, and hangs, is nobody to take the place of a worker.
func TestLateSuccessor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Start: time.Second}}, nil, func(_, incarnation int) (func(*fake) int, error) {
			switch incarnation {
			case 1:
				return lasts(2*time.Second, 1), nil
			case 2:
				return func(f *fake) int { <-f.killed; return -1 }, nil
			}
			return good, nil
		})
		done := w.reloading()
		time.Sleep(1500 * ms)
		w.in("0.1 idle, 0.2 stopping")
		time.Sleep(time.Second)
		w.in("0.2 stopping, 0.3 idle")
		if err := <-done; err != nil { // 0.3 is new
			t.Errorf("Reload: %v", err)
		}
		time.Sleep(time.Minute)
		w.in("0.3 idle")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if c := w.Counters(); c.Restarts != 1 || c.Starts != 3 || len(w.turns) != 0 {
			t.Errorf("%+v, %d turns; want 1 restart", c, len(w.turns))
		}
	})
}

// A restart that does not come is none.
func TestRestartsAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []*Group{{Name: "a", Restart: Restart{Burst: -1, Min: time.Hour, Max: time.Hour}}}, nil, always(lasts(time.Second, 1)))
		time.Sleep(2 * time.Second)
		w.in("0.1 backoff")
		if c, st := w.Counters(), w.Status()[0]; c.Restarts != 0 || st.Restarts != 0 {
			t.Errorf("%+v, %+v; want no restart yet", c, st)
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if c := w.Counters(); c.Restarts != 0 {
			t.Errorf("%+v, want no restart", c)
		}
	})
}

// A context that has ended starts nothing.
func TestRunOfWhatHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, []*Group{{Name: "a", Count: 4}}, nil, always(good))
		w.cancel()
		if err := w.Pool.Run(w.ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
		synctest.Wait()
		w.expect()
		if want := (Counters{}); w.Counters() != want {
			t.Errorf("%+v", w.Counters())
		}
	})
}
