//go:build linux

package epoll

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen makes a Listener of a new fakeFile.
func (k *fakeKernel) listen(l *Loop, h *Handler, opts *ListenOptions) (*Listener, *fakeFile) {
	k.tb.Helper()
	f := newFakeListener()
	ln, err := l.Listen(k.open(f), h, opts)
	if err != nil {
		k.tb.Fatal(err)
	}
	return ln, f
}

// fails is n repeated.
func fails(n unix.Errno, times int) []unix.Errno { return slices.Repeat([]unix.Errno{n}, times) }

// A Listener that gets no descriptor tries again ever more rarely, says so once,
// and loses nobody.
func TestAcceptBacksOff(t *testing.T) {
	for _, n := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		t.Run(n.Error(), func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			var reports []error
			_, f := k.listen(l, new(Handler), &ListenOptions{Paused: func(err error) { reports = append(reports, err) }})
			for range 3 {
				f.dial()
			}
			k.script["accept"] = fails(n, 9)
			began := k.clock
			var tries []time.Duration
			for l.Len() < 3 {
				before := k.calls["accept"]
				if err := l.round(); err != nil {
					t.Fatalf("round: %v", err)
				}
				if k.calls["accept"] > before {
					tries = append(tries, k.clock.Sub(began))
				}
			}
			const ms = time.Millisecond
			want := []time.Duration{
				0, 10 * ms, 30 * ms, 70 * ms, 150 * ms, 310 * ms, 630 * ms,
				1270 * ms, 2270 * ms, 3270 * ms,
			}
			if !slices.Equal(tries, want) {
				t.Errorf("tried after %v, want %v", tries, want)
			}
			if len(reports) != 1 || !errors.Is(reports[0], n) {
				t.Errorf("Paused was called with %v, want %v once", reports, n)
			}
			k.script["accept"] = []unix.Errno{n}
			f.dial()
			k.rest(l)
			k.advance(l, 10*ms)
			if len(reports) != 2 || l.Len() != 4 {
				t.Errorf("the next episode: %d reports, %d Conns; want 2, 4", len(reports), l.Len())
			}
		})
	}
}

// A Conn that closes leaves a descriptor, and whoever waits gets it at once.
func TestAcceptRetriesWhenAConnCloses(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	c, _ := k.attach(l, new(Handler))
	_, f := k.listen(l, new(Handler), nil)
	f.dial()
	k.script["accept"] = []unix.Errno{unix.EMFILE, unix.EMFILE}
	k.rest(l)
	before := k.calls["accept"]
	k.rest(l)
	if k.calls["accept"] != before {
		t.Error("accept is called before anything has changed")
	}
	k.script["accept"] = nil
	_ = c.Abort(nil) // it is open
	k.rest(l)
	if l.Len() != 1 || len(*f.backlog) != 0 {
		t.Errorf("%d Conns, %d waiting; want 1, 0", l.Len(), len(*f.backlog))
	}
}

// The error of one connection is that one's, and the next one is accepted.
func TestAcceptSkipsBrokenConnections(t *testing.T) {
	for _, n := range []unix.Errno{
		unix.ECONNABORTED, unix.EPERM, unix.EPROTO, unix.ENOPROTOOPT, unix.EOPNOTSUPP,
		unix.ENETDOWN, unix.ENETUNREACH, unix.ENONET, unix.EHOSTDOWN, unix.EHOSTUNREACH,
	} {
		t.Run(n.Error(), func(t *testing.T) {
			l, k := newFakeLoop(t, nil)
			paused := func(err error) { t.Errorf("Paused(%v)", err) }
			_, f := k.listen(l, new(Handler), &ListenOptions{Paused: paused})
			f.dial()
			k.script["accept"] = []unix.Errno{n, n}
			k.rest(l)
			if l.Len() != 1 {
				t.Errorf("%d Conns, want 1", l.Len())
			}
		})
	}
}

// Errors of accept do not outlast the Listener.
func TestListenerThatIsPausedCloses(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	ln, f := k.listen(l, new(Handler), nil)
	f.dial()
	k.script["accept"] = fails(unix.EMFILE, 100)
	k.rest(l)
	if err := ln.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	before := k.calls["accept"]
	k.advance(l, time.Minute)
	if k.calls["accept"] != before || !f.closed {
		t.Errorf("accept was called %d times after Close, closed = %v", k.calls["accept"]-before, f.closed)
	}
}

// A socket that keeps failing must not keep others from their turn, nor the
// Listener from going on.
func TestAcceptErrorsAreBounded(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	_, f := k.listen(l, new(Handler), nil)
	f.dial()
	k.script["accept"] = fails(unix.ECONNABORTED, 10*acceptBatch)
	k.polling = true
	for range 10 {
		before := k.calls["accept"]
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
		if n := k.calls["accept"] - before; n != acceptBatch {
			t.Errorf("accept was called %d times in a round, want %d", n, acceptBatch)
		}
	}
	k.rest(l)
	if l.Len() != 1 {
		t.Errorf("%d Conns, want 1", l.Len())
	}
}
