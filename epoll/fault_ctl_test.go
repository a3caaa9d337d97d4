//go:build linux

package epoll

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pipeEnd opens a descriptor of the test's, for Sources.
func (k *fakeKernel) pipeEnd() (int, *fakeFile) {
	k.tb.Helper()
	f := &fakeFile{foreign: true}
	return k.open(f), f
}

// ctlErrors are what epoll_ctl(2) returns for want of memory, and of watches.
func ctlErrors() []unix.Errno { return []unix.Errno{unix.ENOMEM, unix.ENOSPC} }

func TestConnThatCannotBeWatched(t *testing.T) {
	for _, n := range ctlErrors() {
		l, k := newFakeLoop(t, nil)
		var r, other record
		k.attach(l, other.handler(nil))
		k.rest(l)
		k.script["add"] = []unix.Errno{n}
		_, f := k.attach(l, r.handler(nil))
		k.rest(l)
		r.want(t, "Opened", "Closed")
		if !errors.Is(r.reason, n) || !f.closed {
			t.Errorf("Closed with %v, closed = %v; want %v, true", r.reason, f.closed, n)
		}
		other.want(t, "Opened")
	}
}

func TestConnWhoseWatchCannotChange(t *testing.T) {
	for _, n := range ctlErrors() {
		l, k := newFakeLoop(t, nil)
		var r record
		c, f := k.attach(l, r.handler(nil))
		k.rest(l)
		k.script["modify"] = []unix.Errno{n}
		if _, err := c.Write(pattern(1 << 17)); err != nil {
			t.Fatal(err)
		}
		k.rest(l)
		r.want(t, "Opened", "Closed")
		if !errors.Is(r.reason, n) || !f.closed {
			t.Errorf("Closed with %v, closed = %v; want %v, true", r.reason, f.closed, n)
		}
	}
}

// An error of Add leaves nothing behind, and one of Set leaves what was before.
func TestSourceThatCannotBeWatched(t *testing.T) {
	for _, n := range append(ctlErrors(), unix.EPERM) {
		l, k := newFakeLoop(t, nil)
		fd, f := k.pipeEnd()
		k.script["add"] = []unix.Errno{n}
		if _, err := l.Add(fd, Readable, nil); !errors.Is(err, n) {
			t.Errorf("Add = %v, want %v", err, n)
		}
		if p := l.Pins(); p != (Pins{}) {
			t.Errorf("Pins() = %+v, want none", p)
		}
		calls := 0
		s, err := l.Add(fd, Readable, func(Events) { calls++; f.in = nil })
		if err != nil {
			t.Fatal(err)
		}
		k.script["modify"] = []unix.Errno{n}
		if err := s.Set(0); !errors.Is(err, n) {
			t.Errorf("Set(0) = %v, want %v", err, n)
		}
		f.send([]byte("x"))
		k.rest(l)
		if calls != 1 {
			t.Errorf("%d calls, want 1: what was watched for before", calls)
		}
		if err := s.Set(0); err != nil {
			t.Errorf("Set(0) = %v, want nil", err)
		}
		if err := s.Remove(); err != nil {
			t.Errorf("Remove() = %v, want nil", err)
		}
	}
}

func TestListenerThatCannotBeWatched(t *testing.T) {
	for _, n := range ctlErrors() {
		l, k := newFakeLoop(t, nil)
		k.script["add"] = []unix.Errno{n}
		fd := k.open(newFakeListener())
		if _, err := l.Listen(fd, new(Handler), nil); !errors.Is(err, n) {
			t.Errorf("Listen = %v, want %v", err, n)
		}
		if p := l.Pins(); p != (Pins{}) {
			t.Errorf("Pins() = %+v, want none", p)
		}
		ln, err := l.Listen(fd, new(Handler), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ln.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	}
}

// A Listener that had paused tries to be watched until it is.
func TestListenerWatchIsRetried(t *testing.T) {
	for _, n := range ctlErrors() {
		l, k := newFakeLoop(t, nil)
		_, f := k.listen(l, new(Handler), nil)
		f.dial()
		k.script["accept"] = []unix.Errno{unix.EMFILE}
		k.script["add"] = fails(n, 3)
		k.advance(l, 2*time.Second)
		if l.Len() != 1 {
			t.Errorf("%d Conns, want 1", l.Len())
		}
	}
}

func TestWaitErrorEndsRun(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	_, f := k.attach(l, r.handler(nil))
	k.script["wait"] = []unix.Errno{0, unix.EBADF}
	f.send([]byte("x"))
	ran := false
	r.then = func(*Conn, string) error {
		if !ran {
			l.Defer(func() {})
			ran = true
		}
		return nil
	}
	if err := l.Run(t.Context()); !errors.Is(err, unix.EBADF) {
		t.Errorf("Run = %v, want %v", err, unix.EBADF)
	}
	r.want(t, "Opened", "Data", "Closed")
	if !errors.Is(r.reason, ErrStopped) || !k.closed {
		t.Errorf("Closed with %v, closed = %v; want %v, true", r.reason, k.closed, ErrStopped)
	}
}

// Where more is ready than a round takes, everybody is told before anybody is
// told again.
func TestMoreEventsThanARoundTakes(t *testing.T) {
	l, k := newFakeLoop(t, &Options{Events: 4})
	k.polling = true
	calls := make([]int, 10)
	for i := range calls {
		fd, f := k.pipeEnd()
		f.send([]byte("x")) // which nobody reads
		if _, err := l.Add(fd, Readable, func(Events) { calls[i]++ }); err != nil {
			t.Fatal(err)
		}
	}
	for round := 1; round <= 25; round++ {
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
		for i, n := range calls {
			if low := 4 * round / 10; n < low || n > low+1 {
				t.Fatalf("after %d rounds %v; want %d or %d of number %d", round, calls, low, low+1, i)
			}
		}
	}
}
