//go:build linux

package epoll

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// dial begins to connect, where connect(2) ends as is laid down.
func (k *fakeKernel) dial(l *Loop, h *Handler, ends ...unix.Errno) (*Conn, *fakeFile) {
	k.tb.Helper()
	k.script["connect"] = ends
	c, err := l.Dial(&unix.SockaddrUnix{Name: "nowhere"}, h)
	if err != nil {
		k.tb.Fatal(err)
	}
	return c, k.files[c.FD()]
}

func TestDialIsAnswered(t *testing.T) {
	for _, n := range []unix.Errno{0, unix.EINPROGRESS, unix.EALREADY} {
		l, k := newFakeLoop(t, nil)
		var r record
		c, f := k.dial(l, r.handler(nil), n)
		if _, err := c.Write([]byte("early")); err != nil {
			t.Errorf("Write = %v, want nil", err)
		}
		if n != 0 {
			k.rest(l)
			r.want(t)
			f.accepts()
		}
		f.send([]byte("welcome"))
		k.rest(l)
		r.want(t, "Opened", "Data")
		if got := f.receive(100); string(got) != "early" {
			t.Errorf("the peer got %q, want %q", got, "early")
		}
	}
}

// The error of a connection that was never one comes through Closed alone.
func TestDialFails(t *testing.T) {
	for _, n := range []unix.Errno{unix.ECONNREFUSED, unix.ETIMEDOUT, unix.ENETUNREACH, unix.EACCES} {
		for _, late := range []bool{false, true} {
			l, k := newFakeLoop(t, nil)
			var r record
			var f *fakeFile
			if late {
				_, f = k.dial(l, r.handler(nil), unix.EINPROGRESS)
				k.rest(l)
				f.hangUp(n)
			} else {
				_, f = k.dial(l, r.handler(nil), n)
			}
			r.want(t)
			k.rest(l)
			r.want(t, "Closed")
			if !errors.Is(r.reason, n) || !f.closed {
				t.Errorf("Closed with %v, closed = %v; want %v, true", r.reason, f.closed, n)
			}
		}
	}
}

// A UNIX socket whose peer's backlog is full says so at once, and never tells
// when it no longer is.
func TestDialTriesAgain(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var r record
	_, f := k.dial(l, r.handler(nil), append(fails(unix.EAGAIN, 3), 0)...)
	began := k.clock
	var tries []time.Duration
	for k.calls["connect"] < 4 {
		before := k.calls["connect"]
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
		if k.calls["connect"] > before {
			tries = append(tries, k.clock.Sub(began))
		}
	}
	f.accepts()
	k.rest(l)
	r.want(t, "Opened")
	want := []time.Duration{10 * time.Millisecond, 30 * time.Millisecond, 70 * time.Millisecond}
	if !slices.Equal(tries, want) {
		t.Errorf("tried again after %v, want %v", tries, want)
	}
}

func TestDialHasABound(t *testing.T) {
	for _, n := range []unix.Errno{unix.EINPROGRESS, unix.EAGAIN} {
		l, k := newFakeLoop(t, nil)
		var r record
		_, f := k.dial(l, r.handler(&Limits{Dial: time.Second}), fails(n, 1000)...)
		k.advance(l, time.Second-1)
		r.want(t)
		k.advance(l, time.Second/8+1)
		r.want(t, "Closed")
		if !errors.Is(r.reason, unix.ETIMEDOUT) || !f.closed {
			t.Errorf("Closed with %v, closed = %v; want %v, true", r.reason, f.closed, unix.ETIMEDOUT)
		}
		tries := k.calls["connect"]
		k.advance(l, time.Minute)
		if k.calls["connect"] != tries {
			t.Error("connect is called after Closed")
		}
	}
}

// What is closed while it connects is closed at once if there is nothing to send,
// and drops what there is when it is aborted.
func TestCloseWhileConnecting(t *testing.T) {
	for _, abort := range []bool{false, true} {
		l, k := newFakeLoop(t, nil)
		var r record
		c, f := k.dial(l, r.handler(nil), unix.EINPROGRESS)
		k.rest(l)
		if abort {
			_, _ = c.Write([]byte("unsent")) // there is room
			_ = c.Abort(nil)                 // it is open
		} else {
			_ = c.Close(nil) // it is open
		}
		k.rest(l)
		r.want(t, "Closed")
		if r.reason != nil || !f.closed {
			t.Errorf("Closed with %v, closed = %v; want nil, true", r.reason, f.closed)
		}
	}
}
