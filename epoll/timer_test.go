//go:build linux

package epoll_test

import (
	"slices"
	"testing"
	"time"

	"github.com/plait-go/plait/epoll"
)

const ms = time.Millisecond

func TestTimersFireInOrderAndNeverEarly(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var log []string
		note := func(name string, d time.Duration) {
			set := time.Now()
			l.After(d, func() {
				log = append(log, name)
				if since := time.Since(set); since < d {
					t.Errorf("a timer of %v fired after %v", d, since)
				}
			})
		}
		note("5, first", 5*ms)
		l.After(5*ms, func() { log = append(log, "5, second") })
		note("3", 3*ms)
		note("300 µs", 300*time.Microsecond)
		note("3.5", 3500*time.Microsecond)
		note("now", 0)
		note("the past", -time.Hour)
		l.After(8*ms, l.Stop)
		runHere(t, l)
		if want := []string{"now", "the past", "300 µs", "3", "3.5", "5, first", "5, second"}; !slices.Equal(log, want) {
			t.Errorf("timers fired %q, want %q", log, want)
		}
	})
}

func TestTimerStop(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		stop := func(timer *epoll.Timer, when string, want bool) {
			if got := timer.Stop(); got != want {
				t.Errorf("Stop %s = %v, want %v", when, got, want)
			}
		}
		never := func() { t.Error("a timer fired that was stopped") }
		pending := l.After(0, never)
		stop(pending, "before it is due", true)
		stop(pending, "again", false)
		// Of two that are due in one round the first one stops the second.
		var second *epoll.Timer
		var once *epoll.Timer
		once = l.After(0, func() {
			stop(second, "when it is due in this round", true)
			stop(second, "again", false)
			stop(once, "of a timer that is firing", false)
		})
		second = l.After(0, never)
		ticks := 0
		var every *epoll.Timer
		every = l.Every(ms, func() {
			ticks++
			stop(every, "of a periodic timer that is firing", true)
			stop(every, "again", false)
			l.After(5*ms, l.Stop)
		})
		runHere(t, l)
		if ticks != 1 {
			t.Errorf("a periodic timer that stopped itself fired %d times, want 1", ticks)
		}
	})
}

func TestTimerReset(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var log []string
		later := l.After(0, func() { log = append(log, "later") })
		sooner := l.After(time.Hour, func() { log = append(log, "sooner") })
		var again, due *epoll.Timer
		times := 0
		again = l.After(0, func() {
			if times++; times < 3 {
				log = append(log, "again")
				again.Reset(0)
			}
			due.Reset(4 * ms) // which is due in this round
		})
		due = l.After(0, func() { log = append(log, "due") })
		stopped := l.After(time.Hour, func() { log = append(log, "stopped") })
		stopped.Stop()
		must(t, l.Post(func() { stopped.Reset(0) }))
		later.Reset(8 * ms)
		sooner.Reset(ms)
		l.After(12*ms, l.Stop)
		runHere(t, l)
		// "stopped" comes in the second round, behind the second "again", which was
		// set before it.
		if want := []string{"again", "again", "stopped", "sooner", "due", "later"}; !slices.Equal(log, want) {
			t.Errorf("timers fired %q, want %q", log, want)
		}
	})
}

// A timer that sets itself anew for now fires once a round, and leaves the others
// their turn.
func TestTimerOfItselfStarvesNobody(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		a, b := streams(t)
		served, fired := 0, 0
		var again func()
		again = func() {
			fired++
			l.After(0, again)
		}
		again()
		_, err := l.Add(a, epoll.Readable, func(epoll.Events) {
			if served++; served == 300 {
				l.Stop()
			}
		})
		must(t, err)
		say(t, b)
		runHere(t, l)
		if fired != served+1 { // once by itself
			t.Errorf("fired %d times in %d rounds, want one in each", fired-1, served)
		}
	})
}

// After a callback that took several periods there is one tick that is late, and
// the next one comes when it would have come anyway.
func TestEveryDoesNotCatchUp(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		const period, stalled = 4 * ms, 3 // periods missed
		ticks := 0
		set := time.Now()
		l.Every(period, func() {
			ticks++
			least := time.Duration(ticks) * period
			if ticks > 1 {
				least += (stalled - 1) * period
			}
			if since := l.Now().Sub(set); since < least {
				t.Errorf("tick %d came %v after the start, want %v at least", ticks, since, least)
			}
			switch ticks {
			case 1:
				for began := time.Now(); time.Since(began) < stalled*period; {
					continue
				}
			case 6:
				l.Stop()
			}
		})
		runHere(t, l)
	})
}

func TestEveryAfterReset(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		ticks := 0
		timer := l.Every(time.Hour, func() { ticks++; l.Stop() })
		timer.Reset(ms)
		runHere(t, l)
		if got, want := l.Pins().Timers, 1; ticks != 1 || got != want {
			t.Errorf("%d ticks and %d timers set, want 1 and %d: it goes on", ticks, got, want)
		}
		for _, d := range []time.Duration{0, -1} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("Every(%d) does not panic", d)
					}
				}()
				l.Every(d, func() {})
			}()
		}
	})
}
