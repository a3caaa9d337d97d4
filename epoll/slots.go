//go:build linux

package epoll

import (
	"errors"

	"golang.org/x/sys/unix"
)

// A slot says whom a descriptor is watched for. The generation tells the users of
// one number apart.
type slot struct {
	who occupant
	gen uint32
}

// An occupant of a slot is a Source, a Conn, or another thing with a descriptor.
type occupant interface {
	// ready is called with the conditions that hold.
	ready(e Events)
	// interest returns what the kernel is to watch for, if it is to watch.
	interest() (Events, bool)
}

// occupy gives a descriptor's slot to who, and returns the generation for its
// registration with the kernel.
func (l *Loop) occupy(fd int, who occupant) uint32 {
	for len(l.slots) <= fd {
		l.slots = append(l.slots, slot{})
	}
	l.gen++
	l.slots[fd] = slot{who, l.gen}
	return l.gen
}

// vacate frees the slot of a descriptor, if it is of generation gen still: one
// that was closed too early has been another's since.
func (l *Loop) vacate(fd int, gen uint32) {
	if l.slots[fd].gen == gen {
		l.slots[fd].who = nil
	}
}

// dispatch hands events to those whom they are for. One that was vacated, or whose
// number has become another one's, is for nobody.
func (l *Loop) dispatch(events []Event) error {
	for i := range events {
		e := &events[i]
		var s slot
		if uint(e.FD) < uint(len(l.slots)) {
			s = l.slots[e.FD]
		}
		if s.who == nil || s.gen != e.Gen {
			l.stale++
			continue
		}
		l.stale = 0
		s.who.ready(e.Events)
	}
	l.tidy()
	if l.stale > maxStale {
		return l.renew()
	}
	return nil
}

// maxStale is how many events for nobody in a row are taken for a descriptor that
// was closed without being removed while something else holds its file open: epoll
// reports it for ever, and it can only be left behind.
const maxStale = 64

// renew moves to a new epoll instance, which watches what has a slot and nothing
// else.
func (l *Loop) renew() error {
	l.stale = 0
	if err := l.kernel.renew(); err != nil {
		return err
	}
	for fd := range l.slots {
		s := &l.slots[fd]
		if s.who == nil {
			continue
		}
		events, watched := s.who.interest()
		if !watched {
			continue
		}
		err := l.kernel.add(fd, s.gen, events)
		if errors.Is(err, unix.EBADF) {
			s.who = nil // closed without being removed
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
