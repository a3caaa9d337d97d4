//go:build linux

package epoll_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func newPoller(tb testing.TB, w epoll.Waiting) *epoll.Poller {
	tb.Helper()
	p, err := epoll.NewPoller(w)
	must(tb, err)
	tb.Cleanup(func() { _ = p.Close() }) // or the test has closed it
	return p
}

// streams returns the ends of a socket pair, which are closed at the test's end.
func streams(tb testing.TB) (a, b int) {
	tb.Helper()
	a, b = unixPair(tb, unix.SOCK_STREAM)
	tb.Cleanup(func() { _, _ = unix.Close(a), unix.Close(b) })
	return a, b
}

// say writes a byte to fd.
func say(tb testing.TB, fd int) {
	tb.Helper()
	if n, err := unix.Write(fd, []byte("x")); n != 1 || err != nil {
		tb.Fatalf("write = %d, %v", n, err)
	}
}

// events returns what p tells next: nothing if that is how it is when some time
// has passed.
func events(tb testing.TB, p *epoll.Poller, wait time.Duration) []epoll.Event {
	tb.Helper()
	buf := make([]epoll.Event, 8)
	deadline := time.Now().Add(wait)
	for {
		n, err := p.Wait(buf, deadline)
		must(tb, err)
		if n > 0 || !time.Now().Before(deadline) {
			return buf[:n]
		}
	}
}

func wantEvents(tb testing.TB, p *epoll.Poller, want ...epoll.Event) {
	tb.Helper()
	wait := patience
	if len(want) == 0 {
		wait = 0
	}
	if got := events(tb, p, wait); !slices.Equal(got, want) {
		tb.Errorf("Wait tells %v, want %v", got, want)
	}
}

func TestPollerTellsWhatIsReady(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		a, b := streams(t)
		must(t, p.Add(a, 7, epoll.Readable|epoll.Writable))
		wantEvents(t, p, epoll.Event{FD: a, Gen: 7, Events: epoll.Writable})
		say(t, b)
		wantEvents(t, p, epoll.Event{FD: a, Gen: 7, Events: epoll.Readable | epoll.Writable})
		must(t, p.Modify(a, 1<<32-1, epoll.Readable))
		for range 2 { // as long as it holds
			wantEvents(t, p, epoll.Event{FD: a, Gen: 1<<32 - 1, Events: epoll.Readable})
		}
		must(t, p.Remove(a))
		wantEvents(t, p)
	})
}

func TestPollerModifiers(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		a, b := streams(t)
		ready := epoll.Event{FD: a, Events: epoll.Readable}
		must(t, p.Add(a, 0, epoll.Readable|epoll.EdgeTriggered))
		for range 2 { // once a change
			say(t, b)
			wantEvents(t, p, ready)
			wantEvents(t, p)
		}
		must(t, p.Modify(a, 0, epoll.Readable|epoll.OneShot))
		wantEvents(t, p, ready)
		say(t, b)
		wantEvents(t, p)
		must(t, p.Modify(a, 0, epoll.Readable|epoll.OneShot))
		wantEvents(t, p, ready)
	})
}

func TestPollerFillsNoMoreThanItIsGiven(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		told := make(map[int]bool)
		for range 5 {
			a, _ := streams(t)
			must(t, p.Add(a, 0, epoll.Writable))
		}
		for range 5 {
			buf := make([]epoll.Event, 1)
			n, err := p.Wait(buf, time.Time{})
			if n != 1 || err != nil {
				t.Fatalf("Wait = %d, %v; want 1, <nil>", n, err)
			}
			told[buf[0].FD] = true
		}
		if len(told) != 5 {
			t.Errorf("five rounds of one event told of %d descriptors of 5", len(told))
		}
	})
}

func TestPollerRefuses(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		dir := t.TempDir()
		file := filepath.Join(dir, "file")
		must(t, os.WriteFile(file, []byte("x"), 0o600))
		for _, name := range []string{file, dir, os.DevNull} {
			fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			must(t, err)
			if err := p.Add(fd, 0, epoll.Readable); !errors.Is(err, unix.EPERM) {
				t.Errorf("Add(%s) = %v, want EPERM", name, err)
			}
			must(t, unix.Close(fd))
		}
		a, _ := streams(t)
		for call, err := range map[string]error{"Modify": p.Modify(a, 0, 0), "Remove": p.Remove(a)} {
			if !errors.Is(err, unix.ENOENT) {
				t.Errorf("%s of what was not added: %v, want ENOENT", call, err)
			}
		}
		must(t, p.Add(a, 0, epoll.Readable))
		if err := p.Add(a, 0, epoll.Readable); !errors.Is(err, unix.EEXIST) {
			t.Errorf("a second Add: %v, want EEXIST", err)
		}
		if err := p.Add(-1, 0, epoll.Readable); !errors.Is(err, unix.EBADF) {
			t.Errorf("Add(-1) = %v, want EBADF", err)
		}
	})
}

// returns counts the returns of Wait until a time some way off has come. There may
// be one for no reason, but not many: that would be a Wait that spins.
func returns(tb testing.TB, p *epoll.Poller) int {
	tb.Helper()
	buf := make([]epoll.Event, 8)
	n, deadline := 0, time.Now().Add(20*time.Millisecond)
	for time.Now().Before(deadline) {
		got, err := p.Wait(buf, deadline)
		must(tb, err)
		if got != 0 {
			tb.Fatalf("Wait tells %v of descriptors that were not added", buf[:got])
		}
		n++
	}
	return n
}

func TestPollerWaitsForItsDeadline(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		a, b := streams(t)
		must(t, p.Add(a, 0, epoll.Readable))
		for range 2 {
			if n := returns(t, p); n > 3 {
				t.Errorf("Wait returned %d times before its deadline", n)
			}
		}
		say(t, b) // a deadline in the past asks for what is there
		buf := make([]epoll.Event, 8)
		if n, err := p.Wait(buf, time.Unix(1, 0)); n != 1 || err != nil {
			t.Errorf("Wait with a deadline in the past = %d, %v; want 1, <nil>", n, err)
		}
	})
}

func TestPollerWakesBeforeWaitCountAsOne(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		for range 3 {
			for range 100 {
				must(t, p.Wake())
			}
			buf := make([]epoll.Event, 8)
			if n, err := p.Wait(buf, time.Time{}); n != 0 || err != nil {
				t.Errorf("Wait after Wake = %d %v, %v; want 0, <nil>", n, buf[:n], err)
			}
			if n := returns(t, p); n > 3 {
				t.Errorf("Wait returned %d times more", n)
			}
		}
	})
}

func TestPollerWakeEndsWait(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		returned := make(chan error)
		var over atomic.Bool
		go func() {
			defer close(returned)
			for !over.Load() {
				_, err := p.Wait(make([]epoll.Event, 8), time.Time{})
				returned <- err
			}
		}()
		for range 2000 {
			must(t, p.Wake())
			must(t, next(t, returned))
		}
		over.Store(true)
		must(t, p.Wake())
		for err := range returned {
			must(t, err)
		}
	})
}

func TestPollerWakeFromManyGoroutines(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		p := newPoller(t, w)
		var wakers sync.WaitGroup
		var over atomic.Bool
		for range 4 {
			wakers.Go(func() {
				for range 2000 {
					_ = p.Wake() // an error shows in that Wait does not return
				}
			})
		}
		go func() {
			wakers.Wait()
			over.Store(true)
			_ = p.Wake()
		}()
		for !over.Load() {
			if _, err := p.Wait(make([]epoll.Event, 8), time.Time{}); err != nil {
				t.Fatalf("Wait: %v", err)
			}
		}
		wakers.Wait()
	})
}
