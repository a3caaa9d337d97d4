//go:build linux

package epoll

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ListenOptions are how a Listener accepts; nil stands for the zero ListenOptions.
type ListenOptions struct {
	// Limit is how many of the Listener's Conns there may be at a time. What comes
	// beyond waits in the backlog of the socket. 0: any number.
	Limit int

	// Wake says whom a connection wakes where several Loops, or processes, listen
	// on one socket.
	Wake Wake

	// Loop, if not nil, chooses the Loop that gets the next connection, which is
	// there before what is posted to it later. [Group.Least] is such a choice. Nil,
	// and where it returns nil: the Listener's own.
	Loop func() *Loop

	// Paused, if not nil, is called when accept(2), or going on after that, fails
	// for want of descriptors or memory. The Listener tries again when one of its
	// Conns, or of its Loop's, is closed, and after 10 ms to 1 s. Paused is called
	// again only once everybody who waited has been accepted.
	Paused func(err error)
}

// Wake says who is woken by a connection to a shared socket.
type Wake int

// Whom a connection wakes.
const (
	WakeAll Wake = iota // everybody who is waiting; the first one gets it
	WakeOne             // one of those that wait with [Block], mostly the last one; Linux ≥ 4.5
)

// A Listener accepts connections for a Loop, or for several.
type Listener struct {
	loop     *Loop
	h        *Handler
	opts     ListenOptions
	fd       int
	gen      uint32
	flags    flags // of its Conns
	watching bool  // is in the epoll set
	held     int   // a connection, while it is asked who gets it; or -1
	failing  bool  // accept has failed, and there are those who wait
	closed   bool
	delay    time.Duration
	retry    *Timer
	open     atomic.Int64 // Conns
	stopped  atomic.Bool  // until one of them is gone, or the timer says so
}

// Listen accepts connections from a listening stream or packet socket, and owns
// the descriptor from then on. It makes it non-blocking, and has TCP send without
// delay. The error, with which the descriptor stays the caller's, is as for
// Attach, or of epoll_ctl(2).
func (l *Loop) Listen(fd int, h *Handler, opts *ListenOptions) (*Listener, error) {
	f, err := l.admit(fd, h)
	if err != nil {
		return nil, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // or it is not TCP
	ln := &Listener{loop: l, h: h, fd: fd, flags: f, held: -1}
	if opts != nil {
		ln.opts = *opts
	}
	ln.gen = l.gen + 1
	if err := ln.watch(); err != nil {
		return nil, err
	}
	ln.gen = l.occupy(fd, ln)
	l.listening++
	ln.retry = &Timer{loop: l, fn: ln.resume, own: true, at: unset}
	return ln, nil
}

// Duplicate returns a descriptor for what a value of package net or os has open: a
// [net.TCPListener], say, that was made where addresses are parsed. It is the
// caller's, non-blocking if the value's is, and closed in programs that this one
// executes. The value stays as it is, and can be closed; that of a
// [net.UnixListener] removes the socket's file then, unless told not to.
func Duplicate(c syscall.Conn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var failure error
	err = raw.Control(func(original uintptr) {
		fd, failure = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = os.NewSyscallError("fcntl", failure)
	}
	if err != nil {
		return -1, err
	}
	return fd, nil
}

// FD returns the listening descriptor, which stays the Listener's.
func (ln *Listener) FD() int { return ln.fd }

// Close stops accepting, and closes the descriptor. Conns stay open; who has not
// been accepted is reset, unless the socket is open elsewhere. A second Close
// returns [os.ErrClosed].
func (ln *Listener) Close() error {
	if ln.closed {
		return os.ErrClosed
	}
	ln.closed = true
	ln.loop.listening--
	ln.retry.Stop()
	ln.unwatch()
	ln.loop.vacate(ln.fd, ln.gen)
	if ln.held >= 0 {
		_ = ln.loop.kernel.closeFD(ln.held) // nobody has seen it
		ln.held = -1
	}
	return failed("close", ln.loop.kernel.closeFD(ln.fd))
}

func (ln *Listener) interest() (Events, bool) {
	if ln.opts.Wake == WakeOne {
		return Readable | Exclusive, ln.watching
	}
	return Readable, ln.watching
}

func (ln *Listener) watch() error {
	events, _ := ln.interest()
	err := ln.loop.kernel.add(ln.fd, ln.gen, events)
	ln.watching = err == nil
	return err
}

// unwatch takes ln out of the epoll set: what is Exclusive cannot be modified.
func (ln *Listener) unwatch() {
	if ln.watching {
		_ = ln.loop.kernel.remove(ln.fd) // it is ours, and was added
		ln.watching = false
	}
}
