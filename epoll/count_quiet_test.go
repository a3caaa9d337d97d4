//go:build linux

package epoll

import (
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// quiet runs l and fails tb unless it comes to rest: it must not return from its
// wait while nothing happens. One return for no reason is no failure.
func quiet(tb testing.TB, l *Loop) {
	tb.Helper()
	var waits atomic.Int64
	wait := l.kernel.wait
	l.kernel.wait = func(events []Event, deadline time.Time) (int, error) {
		waits.Add(1)
		return wait(events, deadline)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run(tb.Context()) }()
	settled := make(chan struct{})
	rounds := 0
	var step func()
	step = func() {
		if rounds++; rounds == 5 {
			close(settled)
			return
		}
		l.Defer(step)
	}
	if err := l.Post(step); err != nil {
		tb.Errorf("Post: %v", err)
	}
	<-settled
	var n int64
	for range 3 {
		before := waits.Load()
		<-time.After(20 * time.Millisecond) // in which nothing happens
		if n = waits.Load() - before; n == 0 {
			break
		}
	}
	if n != 0 {
		tb.Errorf("%d waits in 20 ms in which nothing happened, want 0", n)
	}
	l.Stop()
	if err := <-done; err != nil {
		tb.Errorf("Run: %v", err)
	}
}

// A Loop at rest makes no system calls, whatever it has that is over, in part or
// altogether, or that waits for others.
func TestLoopAtRestDoesNotSpin(t *testing.T) {
	hour := &Limits{Idle: time.Hour, Close: time.Hour}
	leave := func(c *Conn) error { return c.Close(nil) }
	fill := func(c *Conn) error { _, err := c.Write(make([]byte, 2<<20)); return err }
	pause := func(c *Conn) error { c.Pause(); return nil }
	stay := func(*Conn) error { return nil }
	for name, test := range map[string]struct {
		h    Handler
		gone bool // the peer is
	}{
		"idle":                     {Handler{Limits: hour}, false},
		"peer does not read":       {Handler{Limits: hour, Opened: fill}, false},
		"peer does not close":      {Handler{Limits: hour, Opened: leave}, false},
		"paused":                   {Handler{Opened: pause}, false},
		"paused, and hung up":      {Handler{Opened: pause}, true},
		"hung up, and kept":        {Handler{EOF: stay}, true},
		"hung up, full, and kept":  {Handler{Opened: fill, EOF: stay}, true},
		"paused, full and hung up": {Handler{Opened: func(c *Conn) error { c.Pause(); return fill(c) }}, true},
	} {
		t.Run(name, func(t *testing.T) {
			ways(t, func(t *testing.T, l *Loop) {
				_, peer := couple(t, l, &test.h)
				if test.gone {
					if err := unix.Close(peer); err != nil {
						t.Fatal(err)
					}
				}
				quiet(t, l)
			})
		})
	}
}

func TestLoopAtRestWithSourcesThatAskForNothing(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		for _, events := range []Events{0, Writable | OneShot, Writable | EdgeTriggered, ReadHangup | OneShot} {
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = unix.Close(fds[0]) }()
			if err := unix.Close(fds[1]); err != nil { // a hangup
				t.Fatal(err)
			}
			if _, err := l.Add(fds[0], events, func(Events) {}); err != nil {
				t.Fatal(err)
			}
		}
		quiet(t, l)
	})
}
