//go:build linux

package epoll_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// openFiles returns what a process has open, without what tells one pipe from
// another.
func openFiles(tb testing.TB, pid int) []string {
	tb.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	must(tb, err)
	var all []string
	for _, name := range names {
		target, err := os.Readlink(name)
		must(tb, err)
		all = append(all, regexp.MustCompile(`^pipe:.*`).ReplaceAllString(target, "pipe"))
	}
	slices.Sort(all)
	return all
}

// instances returns the epoll instances of this process.
func instances(tb testing.TB) []string {
	tb.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	must(tb, err)
	return slices.DeleteFunc(names, func(name string) bool {
		target, err := os.Readlink(name)
		return err != nil || target != "anon_inode:[eventpoll]"
	})
}

// watchedFor returns with which events a descriptor number is in the epoll instances
// that this process has, but for some.
func watchedFor(tb testing.TB, fd int, but []string) []string {
	tb.Helper()
	var events []string
	for _, name := range instances(tb) {
		if slices.Contains(but, name) {
			continue
		}
		info, err := os.ReadFile(strings.Replace(name, "/fd/", "/fdinfo/", 1))
		if err != nil {
			continue // closed meanwhile
		}
		for _, m := range regexp.MustCompile(`(?m)^tfd: +(\d+) events: +([0-9a-f]+)`).FindAllStringSubmatch(string(info), -1) {
			if m[1] == fmt.Sprint(fd) {
				events = append(events, m[2])
			}
		}
	}
	return events
}

// A program that is executed gets nothing of what the package has open.
func TestProgramsInheritNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		want := openFiles(t, startChild(t, "hold", w).pid)
		l := newLoop(t, w)
		e := listenAt(t, "tcp")
		_, err := l.Listen(e.fd, &epoll.Handler{Data: echo}, nil)
		must(t, err)
		_, err = l.Dial(silent(t), new(epoll.Handler))
		must(t, err)
		run(t, l)
		asks(t, e.dial(t), "?") // there is a Conn now
		if got := openFiles(t, startChild(t, "hold", w).pid); !slices.Equal(got, want) {
			t.Errorf("a program has %q open; want %q, as before there was a Loop", got, want)
		}
	})
}

// The end of a Conn is the end of its events, also while a child process has the
// socket open still: epoll would report what nobody here can remove any more.
func TestChildHoldsTheSocketOfAClosedConn(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		others := instances(t)
		l := newLoop(t, w)
		fd, other := unixPair(t, unix.SOCK_STREAM)
		t.Cleanup(func() { _ = unix.Close(other) })
		holding(t, w, fd)
		h := &epoll.Handler{Data: func(c *epoll.Conn, _ []byte) error { return c.Abort(nil) }}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		say(t, other)
		wantClosed(t, closed, nil)
		say(t, other) // to the child
		if events := watchedFor(t, fd, others); len(events) != 0 {
			t.Errorf("%d is still watched for %q", fd, events)
		}
		var called <-chan struct{}
		on(t, l, func() { called = readyAt(t, l, fd) })
		next(t, called)
	})
}

// A Source whose descriptor was closed without Remove, and lives on in a child,
// must not keep the Loop busy for ever: it can only leave its epoll instance.
func TestChildHoldsTheFileOfAForgottenSource(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		others := instances(t)
		l := newLoop(t, w)
		fd, other := unixPair(t, unix.SOCK_STREAM)
		t.Cleanup(func() { _ = unix.Close(other) })
		holding(t, w, fd)
		s, err := l.Add(fd, epoll.Readable, func(epoll.Events) { t.Error("called for a descriptor that is closed") })
		must(t, err)
		e := listenAt(t, "tcp")
		_, err = l.Listen(e.fd, &epoll.Handler{Data: echo}, nil)
		must(t, err)
		must(t, unix.Close(fd))
		called := readyAt(t, l, fd)
		say(t, other) // which is reported under the number that is another's
		run(t, l)
		next(t, called)
		deadline := time.Now().Add(patience)
		for len(watchedFor(t, fd, others)) != 0 {
			if time.Now().After(deadline) {
				t.Fatalf("%d is watched for %q, want nothing", fd, watchedFor(t, fd, others))
			}
			runtime.Gosched()
		}
		asks(t, e.dial(t), "?") // others are watched as before
		on(t, l, func() { must(t, s.Remove()) })
	})
}

// holding starts a child that has fd open as well.
func holding(tb testing.TB, w epoll.Waiting, fd int) {
	tb.Helper()
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	must(tb, err)
	f := os.NewFile(uintptr(n), "held")
	startChild(tb, "hold", w, f)
	must(tb, f.Close())
}

// readyAt makes a descriptor with a number that is free, watches it, and makes it
// ready. The channel is closed when it has been told of; the number stays taken by
// something that nobody watches until the end of the test. It is for callbacks.
func readyAt(tb testing.TB, l *epoll.Loop, number int) <-chan struct{} {
	tb.Helper()
	fd, peer := pairAt(tb, number)
	called := make(chan struct{})
	var s *epoll.Source
	s, err := l.Add(fd, epoll.Readable, func(epoll.Events) {
		must(tb, s.Remove())
		must(tb, unix.Dup3(peer, fd, unix.O_CLOEXEC))
		must(tb, unix.Close(peer))
		tb.Cleanup(func() { _ = unix.Close(fd) }) // it is open
		close(called)
	})
	must(tb, err)
	say(tb, peer)
	return called
}
