//go:build linux

package epoll

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A fakeInterest is a registration in the epoll set of a fakeKernel.
type fakeInterest struct {
	fd     int
	gen    uint32
	file   *fakeFile
	events Events
	seen   int  // changes of the file that an edge-triggered one was told of
	spent  bool // a one-shot one was told
}

// ready returns what would be told now.
func (in *fakeInterest) ready() Events {
	e := in.file.state() & (in.events | Failed | Hangup) &^ modifiers
	if in.spent || in.events&EdgeTriggered != 0 && in.seen == in.file.changes {
		return 0
	}
	return e
}

// find returns the registration of a number, as the kernel finds it: by number and
// file. One of a number that stands for another file now is out of reach.
func (k *fakeKernel) find(fd int) *fakeInterest {
	i := slices.IndexFunc(k.set, func(in *fakeInterest) bool { return in.fd == fd && in.file == k.files[fd] })
	if i < 0 {
		return nil
	}
	return k.set[i]
}

// ctl reports a call that the package cannot have meant, for what the Loop owns.
func (k *fakeKernel) ctl(call string, fd int, n unix.Errno) error {
	if n != 0 && k.files[fd] != nil && !k.files[fd].foreign {
		k.tb.Errorf("%s of descriptor %d, which is the Loop's: %v", call, fd, n)
	}
	return failed("epoll_ctl", n)
}

func (k *fakeKernel) add(fd int, gen uint32, events Events) error {
	k.calls["add"]++
	if n := k.scripted("add"); n != 0 {
		return failed("epoll_ctl", n)
	}
	f := k.files[fd]
	switch {
	case k.closed:
		return os.ErrClosed
	case f == nil:
		return k.ctl("add", fd, unix.EBADF)
	case k.find(fd) != nil:
		return k.ctl("add", fd, unix.EEXIST)
	}
	k.set = append(k.set, &fakeInterest{fd: fd, gen: gen, file: f, events: events, seen: -1})
	return nil
}

func (k *fakeKernel) modify(fd int, gen uint32, events Events) error {
	k.calls["modify"]++
	if n := k.scripted("modify"); n != 0 {
		return failed("epoll_ctl", n)
	}
	in := k.find(fd)
	switch {
	case k.files[fd] == nil:
		return k.ctl("modify", fd, unix.EBADF)
	case in == nil:
		return k.ctl("modify", fd, unix.ENOENT)
	case in.events&Exclusive != 0:
		return k.ctl("modify", fd, unix.EINVAL)
	}
	in.gen, in.events, in.seen, in.spent = gen, events, -1, false
	return nil
}

func (k *fakeKernel) remove(fd int) error {
	k.calls["remove"]++
	in := k.find(fd)
	switch {
	case k.files[fd] == nil:
		return k.ctl("remove", fd, unix.EBADF)
	case in == nil:
		return k.ctl("remove", fd, unix.ENOENT)
	}
	k.set = slices.DeleteFunc(k.set, func(other *fakeInterest) bool { return other == in })
	return nil
}

// renew forgets all registrations, also those that are out of reach, unless it
// fails.
func (k *fakeKernel) renew() error {
	k.calls["renew"]++
	if n := k.scripted("renew"); n != 0 {
		return failed("epoll_create1", n)
	}
	k.renewed++
	k.set = nil
	k.woken.Store(true)
	return nil
}

func (k *fakeKernel) close() error {
	if k.closed {
		k.tb.Error("the epoll instance is closed twice")
		return os.ErrClosed
	}
	k.closed, k.set = true, nil
	return nil
}

// wait tells what is ready. Where that is nothing it moves the clock to the
// deadline, and without one it fails.
func (k *fakeKernel) wait(events []Event, deadline time.Time) (int, error) {
	k.calls["wait"]++
	if n := k.scripted("wait"); n != 0 {
		return 0, failed("epoll_wait", n)
	}
	for {
		n := k.tell(events)
		k.told = append(k.told[:0], events[:n]...)
		switch {
		case n > 0 || k.woken.Swap(false) || k.polling:
			return n, nil
		case !deadline.IsZero():
			if k.clock.Before(deadline) {
				k.clock = deadline
			}
			return 0, nil
		case k.idle == nil || !k.idle():
			return 0, errStuck
		}
	}
}

// tell fills events, and puts what it told of behind the others, as epoll does.
func (k *fakeKernel) tell(events []Event) int {
	if k.batch > 0 {
		events = events[:min(k.batch, len(events))]
	}
	if k.luck(4) {
		events = events[:1+k.chaos.IntN(len(events))]
	}
	var told, others []*fakeInterest
	n := 0
	for _, in := range k.set {
		e := in.ready()
		if n == len(events) || e == 0 {
			others = append(others, in)
			continue
		}
		events[n] = Event{FD: in.fd, Gen: in.gen, Events: e}
		n++
		in.seen, in.spent = in.file.changes, in.events&OneShot != 0
		told = append(told, in)
	}
	k.set = append(others, told...)
	if n < len(events) && k.luck(8) {
		events[n] = k.lie()
		n++
	}
	if k.chaos != nil {
		k.chaos.Shuffle(n, func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
	return n
}

// lie returns an event of a registration that is over, or that a Conn is ready
// which is not.
func (k *fakeKernel) lie() Event {
	if len(k.set) > 0 && k.luck(2) {
		in := k.set[k.chaos.IntN(len(k.set))]
		if k.files[in.fd] == in.file && !in.file.foreign && in.file.backlog == nil {
			return Event{FD: in.fd, Gen: in.gen, Events: in.events & (Readable | Writable)}
		}
		return Event{FD: in.fd, Gen: in.gen - 1, Events: Readable | Hangup}
	}
	return Event{FD: k.chaos.IntN(64), Gen: 1<<32 - 1, Events: Readable | Writable | Hangup | Failed}
}
