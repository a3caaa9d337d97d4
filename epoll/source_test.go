//go:build linux

package epoll_test

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// rounds calls fn after n more rounds.
func rounds(l *epoll.Loop, n int, fn func()) {
	if n == 0 {
		fn()
		return
	}
	l.Defer(func() { rounds(l, n-1, fn) })
}

// pipe returns the ends of a pipe, which is closed at the test's end.
func pipe(tb testing.TB) (r, w int) {
	tb.Helper()
	fds := make([]int, 2)
	must(tb, unix.Pipe2(fds, unix.O_CLOEXEC|unix.O_NONBLOCK))
	tb.Cleanup(func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) }) // or the test has
	return fds[0], fds[1]
}

func TestSourceIsToldOnceARoundWhileItIsReady(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		in, out := pipe(t)
		calls := 0
		s, err := l.Add(in, epoll.Readable, func(e epoll.Events) {
			if e != epoll.Readable {
				t.Errorf("told %v, want Readable", e)
			}
			if calls++; calls == 3 {
				if n, err := unix.Read(in, make([]byte, 8)); n != 1 || err != nil {
					t.Errorf("read = %d, %v; want 1, <nil>", n, err)
				}
				rounds(l, 5, l.Stop)
			}
		})
		must(t, err)
		if s.FD() != in {
			t.Errorf("FD = %d, want %d", s.FD(), in)
		}
		say(t, out)
		runHere(t, l)
		if calls != 3 {
			t.Errorf("told %d times, want 3: until the byte was read", calls)
		}
	})
}

func TestSourceIsNotToldAfterRemove(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var sources [4]*epoll.Source
		calls := 0
		for i := range sources {
			a, _ := streams(t)
			var err error
			sources[i], err = l.Add(a, epoll.Writable, func(epoll.Events) {
				calls++
				for _, s := range sources { // whose events are at hand, and its own
					must(t, s.Remove())
				}
				rounds(l, 3, l.Stop)
			})
			must(t, err)
		}
		runHere(t, l)
		if calls != 1 {
			t.Errorf("%d callbacks ran, want 1: the one that removed all", calls)
		}
		for call, err := range map[string]error{"Set": sources[0].Set(0), "Remove": sources[0].Remove()} {
			if err != os.ErrClosed {
				t.Errorf("%s after Remove: %v, want os.ErrClosed", call, err)
			}
		}
	})
}

// An event for the one who had a number before must not reach who has it now.
func TestSourceGetsNoEventOfItsPredecessor(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var fds [2]int
		var sources [2]*epoll.Source
		spare, speak := pipe(t)
		calls := 0
		var told []epoll.Events
		for i := range fds {
			in, out := pipe(t)
			must(t, unix.Close(out)) // so that a hangup is told
			fds[i] = in
			var err error
			sources[i], err = l.Add(in, epoll.Readable, func(epoll.Events) {
				calls++
				other := 1 - i
				must(t, sources[i].Remove())
				must(t, sources[other].Remove())
				must(t, unix.Dup3(spare, fds[other], unix.O_CLOEXEC)) // closes it first
				_, err := l.Add(fds[other], epoll.Readable, func(e epoll.Events) {
					told = append(told, e)
					l.Stop()
				})
				must(t, err)
				rounds(l, 3, func() {
					if len(told) != 0 {
						t.Errorf("the new Source was told %v, want nothing", told)
					}
					say(t, speak)
				})
			})
			must(t, err)
		}
		runHere(t, l)
		if calls != 1 || len(told) != 1 || told[0] != epoll.Readable {
			t.Errorf("%d callbacks of the old Sources ran, the new one was told %v; want 1, and Readable", calls, told)
		}
	})
}

func TestSourceOfADescriptorThatWasClosedTooEarly(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		in, out := pipe(t)
		old, err := l.Add(in, epoll.Readable, func(epoll.Events) { t.Error("the old Source was told") })
		must(t, err)
		must(t, unix.Close(in))
		must(t, unix.Close(out))
		again, speak := pipe(t)
		if again != in {
			t.Fatalf("the new pipe is %d, want the number again, %d", again, in)
		}
		told := 0
		_, err = l.Add(again, epoll.Readable, func(epoll.Events) {
			told++
			l.Stop()
		})
		must(t, err)
		if err := old.Remove(); err != nil {
			t.Errorf("Remove after close: %v, want nil", err)
		}
		if got, want := l.Pins(), (epoll.Pins{Sources: 1}); got != want {
			t.Errorf("Pins = %+v, want %+v", got, want)
		}
		say(t, speak)
		runHere(t, l)
		if told != 1 {
			t.Errorf("the new Source was told %d times, want 1", told)
		}
	})
}

func TestRemoveAfterCloseIsNoError(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		in, out := pipe(t)
		s, err := l.Add(in, epoll.Readable, func(epoll.Events) {})
		must(t, err)
		must(t, unix.Close(in))
		if err := s.Remove(); err != nil {
			t.Errorf("Remove after close: %v, want nil", err)
		}
		must(t, unix.Close(out))
	})
}

// A hangup cannot be masked: whoever asks for nothing would be told in every round.
func TestSourceThatAsksForNothingIsToldOfAHangupOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := tcpPair(t)
		defer func() { _ = unix.Close(fd) }()
		var told []epoll.Events
		var s *epoll.Source
		s, err := l.Add(fd, 0, func(e epoll.Events) {
			told = append(told, e)
			switch len(told) {
			case 1:
				rounds(l, 5, func() { must(t, s.Set(epoll.Readable)) })
			case 2:
				must(t, s.Set(0))
			case 3:
				rounds(l, 5, func() {
					must(t, s.Remove()) // though it is out of the epoll set
					l.Stop()
				})
			}
		})
		must(t, err)
		must(t, peer.SetLinger(0))
		must(t, peer.Close())
		runHere(t, l)
		const hangup = epoll.Failed | epoll.Hangup
		if want := []epoll.Events{hangup, hangup | epoll.Readable, hangup}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	})
}

func TestSourceModifiers(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		edge, once := 0, 0
		a, _ := streams(t)
		_, err := l.Add(a, epoll.Writable|epoll.EdgeTriggered, func(epoll.Events) { edge++ })
		must(t, err)
		b, _ := streams(t)
		var s *epoll.Source
		s, err = l.Add(b, epoll.Writable|epoll.OneShot, func(epoll.Events) {
			once++
			rounds(l, 3, func() {
				if once == 2 {
					l.Stop()
					return
				}
				must(t, s.Set(epoll.Writable|epoll.OneShot)) // the same asks again
			})
		})
		must(t, err)
		runHere(t, l)
		if edge != 1 || once != 2 {
			t.Errorf("edge-triggered was told %d times, one-shot %d; want 1, 2", edge, once)
		}
	})
}

// More are ready than one round takes: nobody is told twice before all were.
func TestSourcesTakeTurns(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		const ready, batch = 1000, 64
		l, err := epoll.New(&epoll.Options{Waiting: w, Events: batch})
		must(t, err)
		told := make(map[int]int)
		for range ready {
			fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
			must(t, err)
			defer func() { _ = unix.Close(fd) }()
			_, err = l.Add(fd, epoll.Readable, func(epoll.Events) {
				told[fd]++
				if told[fd] == 2 && len(told) < ready {
					t.Errorf("one was told again after only %d were told", len(told))
				}
				if len(told) == ready {
					l.Stop()
				}
			})
			must(t, err)
		}
		runHere(t, l)
	})
}
