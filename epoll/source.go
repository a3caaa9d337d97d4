//go:build linux

package epoll

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A Source is a descriptor that a Loop watches for the caller. Its methods are for
// callbacks of the Loop, and for before Run.
type Source struct {
	loop   *Loop // nil when removed
	fd     int
	gen    uint32
	events Events
	silent bool // told nothing until Set: a OneShot that was, or a hangup unasked for
	fn     func(Events)
}

// Add watches fd, whatever it is that epoll can watch: a socket, a pipe, a
// terminal, an eventfd, timerfd, inotify or pidfd, another epoll instance. While
// some of events hold, fn is called with those that do, once a round; once for
// each change if they are [EdgeTriggered]. Hangup and Failed come unasked.
//
// The descriptor stays the caller's, and must be removed before it is closed. The
// error is ErrStopped; EPERM for a descriptor that cannot be watched, such as a
// regular file; EEXIST for one that is being watched; or another one of
// epoll_ctl(2).
func (l *Loop) Add(fd int, events Events, fn func(Events)) (*Source, error) {
	if l.over() {
		return nil, ErrStopped
	}
	if fd < 0 {
		return nil, os.NewSyscallError("epoll_ctl", unix.EBADF)
	}
	if l.owns(fd) {
		return nil, os.NewSyscallError("epoll_ctl", unix.EEXIST)
	}
	// Whoever had the number and is not in the epoll set has closed it too early.
	if err := l.kernel.add(fd, l.gen+1, events); err != nil {
		return nil, err
	}
	s := &Source{loop: l, fd: fd, events: events, fn: fn}
	s.gen = l.occupy(fd, s)
	l.added++
	return s, nil
}

// FD returns the descriptor that s watches, or watched.
func (s *Source) FD() int { return s.fd }

// Events returns what s watches for: 0 after Remove.
func (s *Source) Events() Events {
	if s.loop == nil {
		return 0
	}
	return s.events
}

// Set watches for events in place of those before. With the same events it makes
// no system call. After Remove, and when the Loop has ended, it returns
// [os.ErrClosed]; another error is one of epoll_ctl(2), EINVAL for an Exclusive
// Source say, which goes on as it was.
//
// Set(0) leaves Hangup and Failed, which the kernel tells unasked: once, and then
// nothing until Set asks for something again.
func (s *Source) Set(events Events) error {
	l := s.loop
	if l == nil || l.over() || l.slots[s.fd].gen != s.gen { // closed too early, and the number is another's
		return os.ErrClosed
	}
	if events == s.events && !(s.silent && events&OneShot != 0) {
		return nil
	}
	// Under another generation, what is at hand by the events before is for nobody.
	err := l.kernel.modify(s.fd, l.gen+1, events)
	if s.silent && errors.Is(err, unix.ENOENT) {
		err = l.kernel.add(s.fd, l.gen+1, events)
	}
	if err != nil {
		return err
	}
	s.gen = l.occupy(s.fd, s)
	s.events, s.silent = events, false
	return nil
}

// Remove stops watching. When it returns, the callback does not run again, not
// for an event that is already at hand either. A second Remove returns
// [os.ErrClosed]; a descriptor that was closed before is no error.
func (s *Source) Remove() error {
	l := s.loop
	if l == nil {
		return os.ErrClosed
	}
	s.loop = nil
	l.added--
	if l.over() || l.slots[s.fd].gen != s.gen { // or closed too early, and the number is another's
		return nil
	}
	l.vacate(s.fd, s.gen)
	err := l.kernel.remove(s.fd)
	if errors.Is(err, unix.EBADF) || errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// ready calls the callback. A hangup that nobody asked for would be told in every
// round from now on.
func (s *Source) ready(e Events) {
	if s.events&OneShot != 0 {
		s.silent = true
	} else if s.events&^modifiers == 0 {
		s.silent = true
		_ = s.loop.kernel.remove(s.fd) // or it was closed too early
	}
	s.fn(e)
}

func (s *Source) interest() (Events, bool) { return s.events, !s.silent }
