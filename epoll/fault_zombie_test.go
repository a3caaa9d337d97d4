//go:build linux

package epoll

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A descriptor that is closed without being removed, while something else holds
// its file open, is reported for ever. The Loop moves to a new epoll instance, and
// takes with it whatever else there is.
func TestZombieMakesTheLoopRenew(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	fd, zombie := k.pipeEnd()
	s, err := l.Add(fd, Readable, func(e Events) { t.Errorf("the Source that was removed is told %v", e) })
	if err != nil {
		t.Fatal(err)
	}
	var r, accepted record
	_, f := k.attach(l, r.handler(nil))
	paused, _ := k.attach(l, new(Handler))
	paused.Pause()
	_, backlog := k.listen(l, accepted.handler(nil), &ListenOptions{Wake: WakeOne})
	other, in := k.pipeEnd()
	told := 0
	if _, err := l.Add(other, Readable|EdgeTriggered, func(Events) { told++; in.in = nil }); err != nil {
		t.Fatal(err)
	}
	fired := 0
	l.Every(time.Second, func() { fired++ })
	k.rest(l)

	zombie.refs++ // another process has it
	k.closeForeign(fd)
	if err := s.Remove(); err != nil {
		t.Errorf("Remove: %v", err)
	}
	zombie.send([]byte("x"))
	if n := k.rest(l); n < maxStale || n > maxStale+3 || k.renewed != 1 {
		t.Errorf("%d rounds, renewed %d times; want %d or a few more, 1", n, k.renewed, maxStale)
	}
	if slices.ContainsFunc(k.set, func(in *fakeInterest) bool { return in.file == zombie }) {
		t.Error("the descriptor that was closed is watched in the new set")
	}
	f.send([]byte("x"))
	in.send([]byte("x"))
	backlog.dial()
	k.advance(l, 3*time.Second)
	r.want(t, "Opened", "Data")
	accepted.want(t, "Opened")
	if told != 1 || fired != 3 {
		t.Errorf("the Source was told %d times, the timer fired %d times; want 1, 3", told, fired)
	}
}

// One whose number is another's now is left behind, and the other one is watched.
func TestZombieWhoseNumberIsTaken(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	fd, zombie := k.pipeEnd()
	s, err := l.Add(fd, Readable, func(e Events) { t.Errorf("the old Source is told %v", e) })
	if err != nil {
		t.Fatal(err)
	}
	zombie.refs++ // another process has it
	k.closeForeign(fd)
	in := &fakeFile{foreign: true}
	k.openAs(fd, in)
	told := 0
	if _, err := l.Add(fd, Readable, func(Events) { told++; in.in = nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(); err != nil {
		t.Errorf("Remove: %v", err)
	}
	zombie.send([]byte("x"))
	k.rest(l)
	in.send([]byte("x"))
	k.rest(l)
	if k.renewed != 1 || told != 1 {
		t.Errorf("renewed %d times, told %d times; want 1, 1", k.renewed, told)
	}
}

// A new epoll instance that does not take what the old one had leaves nothing to go
// on with.
func TestRenewThatCannotWatchEndsRun(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	fd, zombie := k.pipeEnd()
	if _, err := l.Add(fd, Readable, func(Events) {}); err != nil {
		t.Fatal(err)
	}
	zombie.refs++ // another process has it
	k.closeForeign(fd)
	k.openAs(fd, &fakeFile{foreign: true})
	if _, err := l.Add(fd, Readable, func(Events) {}); err != nil {
		t.Fatal(err)
	}
	zombie.send([]byte("x"))
	k.script["add"] = []unix.Errno{unix.ENOSPC}
	if err := l.Run(t.Context()); !errors.Is(err, unix.ENOSPC) || !k.closed || k.renewed != 1 {
		t.Errorf("Run = %v, closed = %v, renewed %d times; want %v, true, 1", err, k.closed, k.renewed, unix.ENOSPC)
	}
}

// The kernel's own zombies are left behind as well.
func TestRealZombie(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		read, write := realPipe(t)
		s, err := l.Add(read, Readable, func(e Events) { t.Errorf("the Source that was removed is told %v", e) })
		if err != nil {
			t.Fatal(err)
		}
		duplicate, err := unix.Dup(read)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(duplicate) }()
		_ = unix.Close(read) // too early
		if err := s.Remove(); err != nil {
			t.Errorf("Remove: %v", err)
		}
		if _, err := unix.Write(write, []byte("x")); err != nil {
			t.Fatal(err)
		}
		rounds, stale := 0, l.kernel.wait
		l.kernel.wait = func(events []Event, deadline time.Time) (int, error) { rounds++; return stale(events, deadline) }
		fired := 0
		l.Every(50*time.Millisecond, func() {
			if fired++; fired == 3 {
				l.Stop()
			}
		})
		if err := l.Run(t.Context()); err != nil || fired != 3 {
			t.Errorf("Run = %v, the timer fired %d times; want nil, 3", err, fired)
		}
		if rounds < maxStale || rounds > 2*maxStale {
			t.Errorf("%d rounds, want %d and a few more", rounds, maxStale)
		}
	})
}

// realPipe returns the ends of a pipe. The first is the caller's to close.
func realPipe(tb testing.TB) (read, write int) {
	tb.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// A one-shot Source that was told stays silent in the new set, until it is set.
func TestOneShotAfterRenew(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	fd, f := k.pipeEnd()
	told := 0
	s, err := l.Add(fd, Readable|OneShot, func(Events) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	f.send([]byte("x"))
	k.rest(l)
	if err := l.renew(); err != nil {
		t.Fatal(err)
	}
	k.rest(l)
	if told != 1 {
		t.Errorf("told %d times, want 1", told)
	}
	if err := s.Set(Readable | OneShot); err != nil {
		t.Fatal(err)
	}
	k.rest(l)
	if told != 2 {
		t.Errorf("told %d times after Set, want 2", told)
	}
}
