//go:build linux

package epoll_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// closing closes fd at the end of the test.
func closing(tb testing.TB, fd int, err error) int {
	tb.Helper()
	must(tb, err)
	tb.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// kinds are what can be watched: functions that open a descriptor, and return one
// that makes it readable.
func kinds() map[string]func(tb testing.TB) (fd int, speak func()) {
	return map[string]func(tb testing.TB) (int, func()){
		"pipe":     speaking(pipe),
		"socket":   speaking(streams),
		"FIFO":     fifo,
		"eventfd":  eventfd,
		"timerfd":  timerfd,
		"inotify":  inotify,
		"pidfd":    pidfd,
		"terminal": terminal,
		"epoll":    nested,
	}
}

// speaking is a kind whose other end is written to.
func speaking(open func(tb testing.TB) (fd, other int)) func(tb testing.TB) (int, func()) {
	return func(tb testing.TB) (int, func()) {
		tb.Helper()
		fd, other := open(tb)
		return fd, func() { say(tb, other) }
	}
}

func fifo(tb testing.TB) (int, func()) {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "fifo")
	must(tb, unix.Mkfifo(name, 0o600))
	r, err := unix.Open(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	closing(tb, r, err)
	w, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	closing(tb, w, err)
	return r, func() { say(tb, w) }
}

func eventfd(tb testing.TB) (int, func()) {
	tb.Helper()
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	closing(tb, fd, err)
	return fd, func() {
		_, err := unix.Write(fd, []byte{1, 1, 1, 1, 1, 1, 1, 1})
		must(tb, err)
	}
}

func timerfd(tb testing.TB) (int, func()) {
	tb.Helper()
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	closing(tb, fd, err)
	return fd, func() {
		must(tb, unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.Timespec{Nsec: 1}}, nil))
	}
}

func inotify(tb testing.TB) (int, func()) {
	tb.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	closing(tb, fd, err)
	dir := tb.TempDir()
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_CREATE)
	must(tb, err)
	return fd, func() { must(tb, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)) }
}

// sleeper starts a child that ends with status 3 when the function is called.
func sleeper(tb testing.TB) (pid int, end func()) {
	tb.Helper()
	r, w := pipe(tb)
	must(tb, unix.SetNonblock(r, false)) // the child reads it
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "read line; exit 3"}, &syscall.ProcAttr{Files: []uintptr{uintptr(r)}})
	must(tb, err)
	return pid, func() {
		_, err := unix.Write(w, []byte("\n"))
		must(tb, err)
	}
}

func pidfd(tb testing.TB) (int, func()) {
	tb.Helper()
	pid, end := sleeper(tb)
	tb.Cleanup(func() {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
			tb.Errorf("wait4: %v", err)
		}
	})
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	return closing(tb, fd, err), end
}

func terminal(tb testing.TB) (int, func()) {
	tb.Helper()
	host, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		tb.Skipf("no terminals here: %v", err)
	}
	closing(tb, host, nil)
	must(tb, unix.IoctlSetPointerInt(host, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(host, unix.TIOCGPTN)
	must(tb, err)
	fd, err := unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		tb.Skipf("no terminals here: %v", err)
	}
	closing(tb, fd, nil)
	return fd, func() {
		_, err := unix.Write(host, []byte("line\n"))
		must(tb, err)
	}
}

func nested(tb testing.TB) (int, func()) {
	tb.Helper()
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	closing(tb, fd, err)
	event, speak := eventfd(tb)
	must(tb, unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN}))
	return fd, speak
}

func TestLoopWatchesEveryKindOfDescriptor(t *testing.T) {
	for name, open := range kinds() {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				fd, speak := open(t)
				spoken := false
				var s *epoll.Source
				s, err := l.Add(fd, epoll.Readable, func(e epoll.Events) {
					if !spoken || e != epoll.Readable {
						t.Errorf("told %v, after something happened: %v; want Readable, then", e, spoken)
					}
					must(t, s.Remove())
					l.Stop()
				})
				must(t, err)
				rounds(l, 3, func() {
					spoken = true
					speak()
				})
				runHere(t, l)
			})
		})
	}
}

// All of them on one Loop, each told of its own.
func TestLoopWatchesAllKindsTogether(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		told := make(map[string]bool)
		open := kinds()
		delete(open, "terminal") // which there may not be
		for name, kind := range open {
			fd, speak := kind(t)
			var s *epoll.Source
			s, err := l.Add(fd, epoll.Readable, func(epoll.Events) {
				told[name] = true
				must(t, s.Remove())
				if len(told) == len(open) {
					l.Stop()
				}
			})
			must(t, err)
			speak()
		}
		runHere(t, l)
	})
}

func TestLoopRefusesWhatCannotBeWatched(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		dir := t.TempDir()
		file := filepath.Join(dir, "file")
		must(t, os.WriteFile(file, []byte("x"), 0o600))
		for _, name := range []string{file, dir, os.DevNull} {
			fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			closing(t, fd, err)
			s, err := l.Add(fd, epoll.Readable, func(epoll.Events) { t.Errorf("told of %s", name) })
			if s != nil || !errors.Is(err, unix.EPERM) {
				t.Errorf("Add(%s) = %v, %v; want nil, EPERM", name, s, err)
			}
		}
		if s, err := l.Add(-1, epoll.Readable, nil); s != nil || !errors.Is(err, unix.EBADF) {
			t.Errorf("Add(-1) = %v, %v; want nil, EBADF", s, err)
		}
		if p := l.Pins(); p != (epoll.Pins{}) {
			t.Errorf("Pins = %+v, want none", p)
		}
		a, _ := streams(t)
		_, err := l.Add(a, epoll.Writable, func(epoll.Events) { l.Stop() })
		must(t, err)
		if s, err := l.Add(a, epoll.Readable, nil); s != nil || !errors.Is(err, unix.EEXIST) {
			t.Errorf("a second Add = %v, %v; want nil, EEXIST", s, err)
		}
		runHere(t, l)
	})
}

// A child's end is an event like others, and its status is there to be collected:
// nothing is needed from SIGCHLD.
func TestPidfdTellsOfTheEndOfAChild(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		pid, end := sleeper(t)
		fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
		closing(t, fd, err)
		told := 0
		var s *epoll.Source
		s, err = l.Add(fd, epoll.Readable, func(epoll.Events) {
			told++
			var status unix.WaitStatus
			if got, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); got != pid || err != nil || status.ExitStatus() != 3 {
				t.Errorf("wait4 = %d, status %d, %v; want %d, 3, <nil>", got, status.ExitStatus(), err, pid)
			}
			must(t, s.Remove())
			rounds(l, 3, l.Stop)
		})
		must(t, err)
		end()
		runHere(t, l)
		if told != 1 {
			t.Errorf("told %d times, want 1", told)
		}
	})
}
