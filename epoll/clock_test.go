//go:build linux

package epoll

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A clock is the time of a Loop on the real kernel: it stands still while there is
// something to do, and jumps to the deadline of a wait then.
type clock struct {
	start, now time.Time
}

func setClock(l *Loop) *clock {
	c := &clock{start: time.Unix(1<<30, 0), now: time.Unix(1<<30, 0)}
	l.born = c.now
	l.kernel.now = func() time.Time { return c.now }
	wait := l.kernel.wait
	l.kernel.wait = func(events []Event, deadline time.Time) (int, error) {
		n, err := wait(events, time.Unix(1, 0))
		if n == 0 && deadline.After(c.now) {
			c.now = deadline
		}
		return n, err
	}
	return c
}

// since returns the time since the start.
func (c *clock) since() time.Duration { return c.now.Sub(c.start) }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// roundsUntil runs l until some time has passed, with what is due then.
func roundsUntil(tb testing.TB, l *Loop, c *clock, end time.Duration) {
	tb.Helper()
	l.After(end-c.since(), func() {})
	for c.since() < end {
		if err := l.round(); err != nil {
			tb.Fatalf("round: %v", err)
		}
	}
}

// The heap knows no order of what is due at the same time: the order of setting,
// which counts from the last Reset, is a part of what is compared.
func TestTimersOfOneMomentFireAsTheyWereSet(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c := setClock(l)
		var fired []int
		timers := make([]*Timer, 100)
		for i := range timers {
			timers[i] = l.After(time.Second, func() { fired = append(fired, i) })
		}
		var want []int
		for i := range timers {
			switch i % 5 {
			case 0:
				if !timers[i].Stop() {
					t.Errorf("Stop of timer %d = false, want true", i)
				}
			case 1, 2:
			default:
				want = append(want, i)
			}
		}
		for i := range timers {
			if i%5 == 2 || i%5 == 1 {
				timers[i].Reset(time.Second)
				want = append(want, i)
			}
		}
		roundsUntil(t, l, c, time.Second)
		if !slices.Equal(fired, want) {
			t.Errorf("timers fired: %v, want %v", fired, want)
		}
	})
}

// Calls that come late do not shift those behind them, and calls that were missed
// are made up for by one.
func TestEveryKeepsItsPhase(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c := setClock(l)
		var ticks []time.Duration
		l.Every(10*time.Millisecond, func() {
			ticks = append(ticks, c.since()/time.Millisecond)
			switch len(ticks) {
			case 2:
				c.pass(7 * time.Millisecond)
			case 4:
				c.pass(100 * time.Millisecond)
			}
		})
		roundsUntil(t, l, c, 170*time.Millisecond)
		if want := []time.Duration{10, 20, 30, 40, 140, 150, 160, 170}; !slices.Equal(ticks, want) {
			t.Errorf("ticks at %v ms, want %v", ticks, want)
		}
	})
}

// A tick that is a whole period late does not come twice at the same time.
func TestEveryThatIsLateByItsPeriod(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c := setClock(l)
		var ticks []time.Duration
		l.Every(10*time.Millisecond, func() {
			ticks = append(ticks, c.since()/time.Millisecond)
			if len(ticks) == 1 {
				c.pass(15 * time.Millisecond)
			}
		})
		roundsUntil(t, l, c, 50*time.Millisecond)
		if want := []time.Duration{10, 25, 30, 40, 50}; !slices.Equal(ticks, want) {
			t.Errorf("ticks at %v ms, want %v", ticks, want)
		}
	})
}

// Conns that move live on, whichever way the bytes go; those that stand still are
// closed when their bound has passed, and an eighth of it later at most.
func TestIdleBoundsOfConnsThatMove(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c := setClock(l)
		const idle = 80 * time.Millisecond
		ended := make(map[string]time.Duration)
		attach := func(name string, bound time.Duration) (*Conn, int) {
			return couple(t, l, &Handler{
				Limits: &Limits{Idle: bound, Close: time.Millisecond},
				EOF:    func(*Conn) error { return nil },
				Closed: func(_ *Conn, reason error) {
					if reason == ErrStopped {
						return // at the end of the test
					}
					if reason != ErrIdle {
						t.Errorf("%s: Closed with %v, want ErrIdle", name, reason)
					}
					ended[name] = c.since()
				},
			})
		}
		_, reads := attach("reads", idle)
		writes, _ := attach("writes", idle)
		_, _ = attach("stands", idle)
		_, stops := attach("stops", idle)
		paused, _ := attach("paused", idle)
		paused.Pause()
		_, ends := attach("ends", idle)
		_, _ = attach("has no bound", 0)
		if err := unix.Shutdown(ends, unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		l.Every(idle-time.Millisecond, func() {
			_, err := unix.Write(reads, []byte("x"))
			if err != nil {
				t.Errorf("write: %v", err)
			}
			if _, err := writes.Write([]byte("x")); err != nil {
				t.Errorf("Write: %v", err)
			}
			if c.since() < 2*idle {
				if _, err := unix.Write(stops, []byte("x")); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
		roundsUntil(t, l, c, 10*idle)
		for name, last := range map[string]time.Duration{
			"stands": 0, "paused": 0, "ends": 0, "stops": 2 * (idle - time.Millisecond),
		} {
			// Closing takes Limits.Close, and an eighth of it, more: nobody answers.
			early, late := last+idle, last+idle+idle/8+2*time.Millisecond
			if at, ok := ended[name]; !ok || at < early || at > late {
				t.Errorf("%s: closed %v at %v, want it between %v and %v", name, ok, at, early, late)
			}
		}
		if l.Len() != 3 {
			t.Errorf("%d Conns are left, and %v are closed; want the three that moved, or have no bound", l.Len(), ended)
		}
	})
}

// However many Conns there are, and however they move, one timer serves them all,
// and not each read moves it.
func TestIdleBoundsCostNoTimers(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		c := setClock(l)
		_, peer := couple(t, l, &Handler{Limits: &Limits{Idle: time.Second}})
		_, _ = couple(t, l, &Handler{Limits: &Limits{Idle: time.Hour}})
		set := l.seq
		for range 100 {
			c.pass(time.Millisecond)
			if _, err := unix.Write(peer, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := l.round(); err != nil {
				t.Fatal(err)
			}
		}
		if len(l.timers) != 1 || l.seq != set {
			t.Errorf("%d timers, set %d times by 100 reads; want 1, 0", len(l.timers), l.seq-set)
		}
	})
}
