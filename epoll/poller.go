//go:build linux

package epoll

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// An Event tells that conditions of a registered descriptor hold.
type Event struct {
	FD     int
	Gen    uint32 // as given to Add or Modify
	Events Events
}

// A Poller is a set of descriptors and a way to wait for them: an epoll instance.
// It has no callbacks, no buffers and no goroutines.
//
// Add, Modify, Remove and Wake may be called from any goroutine; Wait by one
// goroutine at a time. Only Wake may be called while Close runs; after it, all
// return [os.ErrClosed]. A Poller comes from NewPoller.
type Poller struct {
	fd     int
	how    waiter
	raw    []unix.EpollEvent
	closed atomic.Bool
}

// A waiter is a way to wait for an epoll instance to become ready.
type waiter interface {
	wait(raw []unix.EpollEvent, deadline time.Time) (int, error)
	wake() error
	close() error
}

// Waiting says how Wait blocks.
type Waiting int

const (
	// Park parks the goroutine in the runtime's network poller until the epoll
	// descriptor, which can be polled itself, is ready. It holds no thread, and
	// a wake-up is one goroutine switch. It is the default.
	Park Waiting = iota
	// Block blocks the thread in epoll_wait(2). It suits a program whose other
	// goroutines keep all processors busy, and goroutines locked to a thread.
	Block
)

// NewPoller returns an empty Poller. The error is that of epoll_create1(2), or
// of eventfd(2).
func NewPoller(w Waiting) (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	p := &Poller{fd: fd}
	if w == Block {
		p.how, err = newBlocker(fd)
	} else {
		p.how, err = newParker(fd)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Add watches fd, which stays the caller's, for events. Its Events carry gen, by
// which a caller tells registrations of one descriptor number apart. EPERM means
// that the descriptor cannot be watched, as regular files and directories cannot;
// other errors are those of epoll_ctl(2).
func (p *Poller) Add(fd int, gen uint32, events Events) error {
	return p.ctl(unix.EPOLL_CTL_ADD, fd, gen, events)
}

// Modify replaces what fd is watched for, and its gen.
func (p *Poller) Modify(fd int, gen uint32, events Events) error {
	return p.ctl(unix.EPOLL_CTL_MOD, fd, gen, events)
}

// Remove stops watching fd. It must come before fd is closed: while another
// process, or another descriptor, shares its open file description, a
// closed fd keeps being watched and cannot be removed any more.
func (p *Poller) Remove(fd int) error {
	return p.ctl(unix.EPOLL_CTL_DEL, fd, 0, 0)
}

func (p *Poller) ctl(op, fd int, gen uint32, events Events) error {
	if p.closed.Load() {
		return os.ErrClosed
	}
	ev := unix.EpollEvent{Events: uint32(events), Fd: int32(fd), Pad: int32(gen)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, op, fd, &ev))
}

// Wait waits until a descriptor is ready, Wake is called, or deadline has come;
// the zero deadline never does, and one in the past makes Wait poll. It fills
// events, of which there must be one at least, and returns how many it filled: 0
// after Wake, at the deadline, and now and then for no reason. It returns
// [os.ErrClosed] when the Poller is closed, but Close does not interrupt it.
func (p *Poller) Wait(events []Event, deadline time.Time) (int, error) {
	if p.closed.Load() {
		return 0, os.ErrClosed
	}
	if len(p.raw) < len(events) {
		p.raw = make([]unix.EpollEvent, len(events))
	}
	raw := p.raw[:len(events)]
	n, err := p.how.wait(raw, deadline)
	if err != nil {
		return 0, err
	}
	for i := range raw[:n] {
		events[i] = Event{FD: int(raw[i].Fd), Gen: uint32(raw[i].Pad), Events: Events(raw[i].Events)}
	}
	return n, nil
}

// Wake makes the Wait that is running, or else the next one, return. Wakes that
// come before that count as one.
func (p *Poller) Wake() error {
	if p.closed.Load() {
		return os.ErrClosed
	}
	return p.how.wake()
}

// Close releases the Poller's own descriptors; those watched are not touched. It
// must not be called while another method than Wake runs. A second Close returns
// [os.ErrClosed].
func (p *Poller) Close() error {
	if p.closed.Swap(true) {
		return os.ErrClosed
	}
	return p.how.close()
}
