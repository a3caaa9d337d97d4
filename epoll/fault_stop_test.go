//go:build linux

package epoll

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A stage is a Loop on which every kind of callback is about to run, and act is
// called by one of them.
type stage struct {
	*fakeKernel
	loop   *Loop
	record record
	act    func()
}

// kinds are the callbacks of a stage.
func kinds() []string {
	return []string{"Opened", "Data", "Drained", "Closed", "source", "timer", "post", "defer"}
}

// newStage has act called by the first callback of a kind.
func newStage(t *testing.T, kind string, act func()) *stage {
	t.Helper()
	l, k := newFakeLoop(t, nil)
	s := &stage{fakeKernel: k, loop: l, act: act}
	do := func(call string) {
		if call == kind && s.act != nil {
			act := s.act
			s.act = nil
			act()
		}
	}
	s.record.then = func(c *Conn, call string) error {
		do(call)
		if call == "Data" {
			_, err := c.Write(pattern(100))
			return err
		}
		return nil
	}
	_, f := k.attach(l, s.record.handler(&Limits{HighWater: 64, Turn: 64, Frame: 64}))
	f.send(pattern(64))
	f.space = 0
	fd, in := k.pipeEnd()
	if _, err := l.Add(fd, Readable, func(Events) { in.in = nil; do("source") }); err != nil {
		t.Fatal(err)
	}
	in.send([]byte("x"))
	l.After(0, func() { do("timer") })
	l.After(time.Millisecond, func() { f.space = 1000; f.changes++ })
	l.After(2*time.Millisecond, func() { f.sendEOF() })
	if err := l.Post(func() { do("post") }); err != nil {
		t.Fatal(err)
	}
	l.Defer(func() { do("defer") })
	k.idle = func() bool { t.Error("nothing is left to do, and Run goes on"); return false }
	return s
}

// Stop works wherever it is called: the round is finished, nothing else begins,
// and what the Loop owns is closed.
func TestStopInEveryCallback(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			var s *stage
			waits, posted := 0, false
			s = newStage(t, kind, func() {
				s.loop.Stop()
				waits = s.calls["wait"]
				if err := s.loop.Post(func() { posted = true }); err != nil {
					t.Errorf("Post: %v", err)
				}
			})
			s.batch = 1
			s.loop.After(time.Second, s.loop.Stop) // or the test would never end
			if err := s.loop.Run(t.Context()); err != nil {
				t.Errorf("Run: %v", err)
			}
			if s.act != nil {
				t.Fatalf("%s was never called", kind)
			}
			if n := s.calls["wait"] - waits; n > 0 && kind != "Opened" {
				t.Errorf("%d waits after Stop, want 0", n)
			}
			if !posted || !s.closed {
				t.Errorf("posted function ran: %v, epoll closed: %v; want true, true", posted, s.closed)
			}
			s.over(t)
		})
	}
}

// over checks that the Loop has ended, and each Conn with it.
func (s *stage) over(t *testing.T) {
	t.Helper()
	if n := s.loop.Len(); n != 0 {
		t.Errorf("Len() = %d, want 0", n)
	}
	if i := slices.Index(s.record.calls, "Closed"); i != len(s.record.calls)-1 {
		t.Errorf("calls %q, want Closed once, and last", s.record.calls)
	}
	if err := s.loop.Post(func() {}); !errors.Is(err, ErrStopped) {
		t.Errorf("Post = %v, want %v", err, ErrStopped)
	}
	if err := s.loop.Run(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("Run = %v, want %v", err, ErrStopped)
	}
	if err := s.loop.Close(); !errors.Is(err, ErrStopped) {
		t.Errorf("Close = %v, want %v", err, ErrStopped)
	}
	s.loop.Stop() // harmless
}

// A panic comes out of Run as it is, and leaves a Loop that Close releases, with
// Closed called for whoever has not heard it.
func TestPanicInEveryCallback(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			s := newStage(t, kind, func() { panic(kind) })
			got := func() (value any) {
				defer func() { value = recover() }()
				s.loop.After(time.Second, s.loop.Stop) // or the test would never end
				return s.loop.Run(t.Context())
			}()
			if got != kind {
				t.Fatalf("Run panicked with %v, want %q", got, kind)
			}
			if err := s.loop.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			if !s.closed {
				t.Error("the epoll instance is open")
			}
			s.over(t)
		})
	}
}

// A panic in the report of a Listener leaves that to be closed, too.
func TestPanicInPaused(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	_, f := k.listen(l, new(Handler), &ListenOptions{Paused: func(error) { panic("paused") }})
	f.dial()
	k.script["accept"] = []unix.Errno{unix.EMFILE}
	func() {
		defer func() {
			if got := recover(); got != "paused" {
				t.Errorf("Run panicked with %v, want %q", got, "paused")
			}
		}()
		_ = l.Run(t.Context()) // panics
	}()
	if err := l.Close(); err != nil || !f.closed {
		t.Errorf("Close = %v, closed = %v; want nil, true", err, f.closed)
	}
}
