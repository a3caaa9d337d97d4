//go:build linux

package epoll_test

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// The function of Cycle is the last thing in every round, the first one too; there
// is one at a time, and none once it is taken away.
func TestCycleEndsEveryRound(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var got []string
		says := func(what string) func() { return func() { got = append(got, what) } }
		l.Cycle(says("replaced"))
		l.Cycle(says("cycle"))
		l.After(0, func() {
			says("timer")()
			l.Defer(func() {
				says("defer")()
				l.Defer(func() {
					says("defer again")()
					l.Cycle(nil)
					l.Defer(l.Stop)
				})
			})
		})
		runHere(t, l)
		if want := []string{"timer", "defer", "cycle", "defer again"}; !slices.Equal(got, want) {
			t.Errorf("the order was %q, want %q", got, want)
		}
	})
}

func TestCycleDoesNotPinTheLoop(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		rounds := 0
		l.Cycle(func() { rounds++ })
		l.Drain(nil)
		runHere(t, l) // it would not return
		if rounds == 0 {
			t.Error("the function of Cycle was not called")
		}
	})
}

func TestSourceTellsItsEvents(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, _ := unixPeer(t, unix.SOCK_STREAM)
		s, err := l.Add(fd, epoll.Readable, func(epoll.Events) {})
		must(t, err)
		before := s.Events()
		must(t, s.Set(epoll.Writable|epoll.EdgeTriggered))
		set := s.Events()
		must(t, s.Remove())
		if before != epoll.Readable || set != epoll.Writable|epoll.EdgeTriggered || s.Events() != 0 {
			t.Errorf("Events = %v, after Set %v, after Remove %v; want Readable, Writable|EdgeTriggered, 0x0", before, set, s.Events())
		}
		must(t, unix.Close(fd))
	})
}
