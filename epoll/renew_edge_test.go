//go:build linux

package epoll

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Where there is no descriptor for a new epoll instance, the Loop goes on with the
// one it has, and tries again: it must not end because a Source was closed too early.
func TestRenewIsTriedAgain(t *testing.T) {
	for _, n := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM} {
		l, k := newFakeLoop(t, nil)
		fd, zombie := k.pipeEnd()
		s, err := l.Add(fd, Readable, func(Events) {})
		if err != nil {
			t.Fatal(err)
		}
		var r record
		_, f := k.attach(l, r.handler(nil))
		k.rest(l)
		zombie.refs++ // another process has it
		k.closeForeign(fd)
		if err := s.Remove(); err != nil {
			t.Errorf("Remove: %v", err)
		}
		zombie.send([]byte("x"))
		k.script["renew"] = fails(n, 2)
		for tries := 1; tries <= 2; tries++ {
			rounds := 0
			for ; k.calls["renew"] < tries; rounds++ {
				if err := l.round(); err != nil {
					t.Fatalf("%v: round: %v", n, err)
				}
			}
			if rounds < maxStale {
				t.Errorf("%v: tried after %d rounds, want %d or more", n, rounds, maxStale)
			}
			r.data = nil
			f.send([]byte("between"))
			if err := l.round(); err != nil || string(r.data) != "between" {
				t.Errorf("%v: round = %v, Data got %q; want nil, %q", n, err, r.data, "between")
			}
		}
		k.rest(l)
		if k.calls["renew"] != 3 || k.renewed != 1 {
			t.Errorf("%v: %d tries, %d renewals; want 3, 1", n, k.calls["renew"], k.renewed)
		}
		f.sendEOF()
		k.rest(l)
		r.want(t, "Opened", "Data", "Closed")
	}
}

// Events at hand for those that a callback has just removed are nobody's fault, and
// no reason to leave the epoll instance, however many they are.
func TestRemovingManyDoesNotRenew(t *testing.T) {
	const sources = 3 * maxStale
	l, k := newFakeLoop(t, nil)
	var all []*Source
	calls := 0
	for range sources {
		fd, f := k.pipeEnd()
		f.send([]byte("x"))
		s, err := l.Add(fd, Readable, func(Events) {
			calls++
			for _, s := range all {
				if err := s.Remove(); err != nil {
					t.Errorf("Remove: %v", err)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	k.rest(l)
	if calls != 1 || k.calls["renew"] != 0 {
		t.Errorf("%d calls, renewed %d times; want 1, 0", calls, k.calls["renew"])
	}
}

// Set drops what is at hand for a Source. Many of them in one round are no sign of
// a descriptor that was closed too early.
func TestSetOfManyDoesNotRenew(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	var sources []*Source
	var files []*fakeFile
	called := false
	for range 2 * maxStale {
		fd, f := k.pipeEnd()
		s, err := l.Add(fd, Readable, func(Events) {
			for _, s := range sources {
				if err := s.Set(0); err != nil {
					t.Errorf("Set: %v", err)
				}
			}
			called = true
		})
		if err != nil {
			t.Fatal(err)
		}
		sources, files = append(sources, s), append(files, f)
	}
	for _, f := range files {
		f.send([]byte("x"))
	}
	k.rest(l)
	if k.renewed != 0 || !called {
		t.Errorf("renewed %d times, want 0; called = %v", k.renewed, called)
	}
}

// A descriptor that was closed too early may be a regular file's number by the time
// of a renewal, which the new set refuses.
func TestRenewPassesOverWhatCannotBeWatched(t *testing.T) {
	l, k := newFakeLoop(t, nil)
	fd, _ := k.pipeEnd()
	if _, err := l.Add(fd, Readable, func(Events) {}); err != nil {
		t.Fatal(err)
	}
	k.script["add"] = []unix.Errno{unix.EPERM}
	if err := l.renew(); err != nil {
		t.Errorf("renew = %v, want nil", err)
	}
}
