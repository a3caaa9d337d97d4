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

// A registry is whom a Loop watches descriptors for.
type registry struct {
	slots     []slot // by descriptor
	gen       uint32 // of the last slot taken
	vacated   bool   // a slot, while events are handed out
	stale     int    // events for nobody, in a row
	added     int    // Sources
	packets   int    // PacketConns
	listening int    // Listeners
}

// owns reports whether a descriptor is a Conn's or another one's that closes it: of
// a Source it is not known whether it has been closed.
func (l *Loop) owns(fd int) bool {
	if fd < 0 || fd >= len(l.slots) || l.slots[fd].who == nil {
		return false
	}
	_, is := l.slots[fd].who.(*Source)
	return !is
}

// occupy gives a descriptor's slot to who, and returns the generation for its
// registration with the kernel.
func (l *Loop) occupy(fd int, who occupant) uint32 {
	for len(l.slots) <= fd {
		l.slots = append(l.slots, slot{})
	}
	if l.slots[fd].who != nil {
		l.vacated = true
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
		l.vacated = true
	}
}

// dispatch hands events to those whom they are for. One that was vacated, or whose
// number has become another one's, is for nobody.
func (l *Loop) dispatch(events []Event) error {
	l.vacated = false
	for i := range events {
		e := &events[i]
		var s slot
		if uint(e.FD) < uint(len(l.slots)) {
			s = l.slots[e.FD]
		}
		if s.who == nil || s.gen != e.Gen {
			if !l.vacated { // by a callback since these events were taken
				l.stale++
			}
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
// else. Where there is none to be had, it is tried again after as many events.
func (l *Loop) renew() error {
	l.stale = 0
	if l.kernel.renew() != nil {
		return nil
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
		if errors.Is(err, unix.EBADF) || errors.Is(err, unix.EPERM) {
			s.who = nil // closed without being removed, and perhaps a file's number now
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
