//go:build linux

package dispatch_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// conditions are those of epoll_ctl(2).
type conditions uint32

// A loop is an event loop by poll(2), of which a test runs each round.
type loop struct {
	rounds
	sources []*watchedFD
	refuses error
}

// A watchedFD is a descriptor of a loop.
type watchedFD struct {
	loop   *loop
	fd     int
	events conditions
	fn     func(conditions)
}

func (l *loop) Add(fd int, events conditions, fn func(conditions)) (*watchedFD, error) {
	if l.refuses != nil {
		return nil, l.refuses
	}
	s := &watchedFD{loop: l, fd: fd, events: events, fn: fn}
	l.sources = append(l.sources, s)
	return s, nil
}

func (s *watchedFD) Set(events conditions) error {
	s.events = events
	return nil
}

func (s *watchedFD) Remove() error {
	s.fd = -1
	return nil
}

// poll runs what is posted, and has all descriptors looked at that have something. It
// reports whether there was one.
func (l *loop) poll(tb testing.TB) (some bool) {
	tb.Helper()
	l.run()
	for _, s := range l.sources {
		if s.fd < 0 {
			continue
		}
		fds := []unix.PollFd{{Fd: int32(s.fd), Events: int16(s.events)}}
		if _, err := unix.Poll(fds, 0); err != nil && !errors.Is(err, unix.EINTR) {
			tb.Fatal(err)
		}
		if fds[0].Revents != 0 {
			some = true
			l.round(func() { s.fn(conditions(fds[0].Revents)) })
		}
	}
	return some
}

// A Dispatcher on a loop reads and writes when it can, and lets go of what has ended.
func TestOnLoop(t *testing.T) {
	leaktest.Check(t)
	l := new(loop)
	answers := 0
	d, err := dispatch.New(1, dispatch.OnLoop(l), &dispatch.Options{QueueBytes: 4 << 20, Answered: func(a dispatch.Answer) {
		if answers++; a.Err != nil || len(a.Payload) != 1<<20 {
			t.Errorf("answer of %d: %d bytes, %v; want 1 MiB", a.Cookie, len(a.Payload), a.Err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := attachTo(t, d, 0)
	w.serve(echo)
	l.run()
	l.round(func() {
		f := d.Open(1, 0, nil)
		for i := range uint64(3) {
			if err := d.Submit(f, dispatch.Request{Payload: make([]byte, 1<<20), Cookie: i}); err != nil {
				t.Errorf("Submit = %v; want nil", err)
			}
		}
	})
	for answers < 3 {
		l.poll(t)
	}
	w.Drain(nil)
	l.run()
	if err := <-w.ended; err != nil {
		t.Errorf("Serve = %v; want nil", err)
	}
	for l.poll(t) {
	}
	w.Exited()
	l.run()
	if l.sources[0].fd >= 0 {
		t.Error("the socket is still watched")
	}
}

// A socket that cannot be watched breaks its lane.
func TestOnLoopRefuses(t *testing.T) {
	leaktest.Check(t)
	l := &loop{refuses: errors.New("no room")}
	d, err := dispatch.New(1, dispatch.OnLoop(l), &dispatch.Options{Answered: func(dispatch.Answer) {}})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := uds.SocketPair(uds.Stream)
	if err != nil {
		t.Fatal(err)
	}
	var broken error
	lane := d.Attach(0, dispatch.Worker{Socket: ours, Begun: func() int64 { return 0 }, Broken: func(err error) { broken = err }})
	lane.Ready()
	l.run()
	if !errors.Is(broken, l.refuses) {
		t.Errorf("Broken(%v); want %v", broken, l.refuses)
	}
	lane.Exited()
	l.run()
	if err := theirs.Close(); err != nil {
		t.Error(err)
	}
}
