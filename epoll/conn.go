//go:build linux

package epoll

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Conn is a connection on a Loop: a stream socket, or one of packets
// (SOCK_SEQPACKET), that has a Handler. Its methods are for callbacks of the Loop,
// and for before Run; none of them blocks or calls back. What they begin is carried
// out when the callback has returned.
type Conn struct {
	State any // the caller's; of no meaning to the package

	loop   *Loop
	h      *Handler
	ln     *Listener // that counts c, or nil
	out    *output   // what is unsent, or nil
	id     uint64
	since  int64 // time of the last progress, or of what bounds the state
	reason error
	fd     int32
	gen    uint32
	mask   Events // what the kernel watches c for
	flags  flags
	state  state
}

// A state is how far a Conn is.
type state uint8

const (
	opening   state = iota // Opened is to be called, or the peer is to answer
	open                   // between Opened and the beginning of the end
	closing                // Close was called: what is unsent goes out
	lingering              // everything is sent, and the peer is to close
	aborting               // to be closed without any of that
	gone                   // closed, or detached
)

// flags are what else there is to know of a Conn.
type flags uint16

const (
	connecting flags = 1 << iota // the peer has not answered yet
	waiting                      // and is to be asked again
	packets                      // each read and write is one packet
	dirty                        // something is to be done when the callback has returned
	listed                       // is in Loop.dirty
	watched                      // is in the epoll set
	paused                       // Pause was called
	full                         // reading has stopped above the high-water mark
	blocked                      // the kernel takes no more until Writable
	broken                       // a write has failed; reason is why
	ended                        // the peer will send no more
	finishing                    // CloseWrite was called
	finished                     // and the peer is told
	late                         // lingering for what the peer has not received yet
)

func (c *Conn) is(f flags) bool { return c.flags&f != 0 }

// Attach makes a Conn of a connected socket, and owns the descriptor from then on,
// which it makes non-blocking. Opened is called after Attach has returned. The
// error, with which the descriptor stays the caller's, is ErrStopped, that of
// limits that contradict each other, EPROTOTYPE for a socket of datagrams, or one
// of getsockopt(2), fcntl(2) and epoll_ctl(2).
func (l *Loop) Attach(fd int, h *Handler) (*Conn, error) {
	f, err := l.admit(fd, h)
	if err != nil {
		return nil, err
	}
	if fd < len(l.slots) && l.slots[fd].who != nil { // who may have closed it too early
		if err := l.kernel.add(fd, l.gen+1, 0); err != nil {
			return nil, err
		}
		f |= watched
	}
	l.count.Add(1)
	return l.attach(fd, h, f), nil
}

// admit checks what is to be attached, makes it non-blocking, and returns the
// flags of its Conns.
func (l *Loop) admit(fd int, h *Handler) (flags, error) {
	if l.over() {
		return 0, ErrStopped
	}
	if err := h.check(); err != nil {
		return 0, err
	}
	kind, err := l.acquire(fd, unix.SOCK_STREAM, unix.SOCK_SEQPACKET)
	if err != nil || kind == unix.SOCK_STREAM {
		return 0, err
	}
	return packets, nil
}

// acquire makes a socket non-blocking that is of one of two types, and nobody's yet,
// and returns which.
func (l *Loop) acquire(fd, this, that int) (kind int, err error) {
	if l.owns(fd) {
		return 0, os.NewSyscallError("epoll_ctl", unix.EEXIST)
	}
	kind, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	if kind != this && kind != that {
		return 0, fmt.Errorf("epoll: descriptor %d: socket type %d: %w", fd, kind, unix.EPROTOTYPE)
	}
	return kind, os.NewSyscallError("fcntl", unix.SetNonblock(fd, true))
}

func (l *Loop) attach(fd int, h *Handler, f flags) *Conn {
	c := &Conn{loop: l, h: h, fd: int32(fd), flags: f}
	l.conns.add(c)
	c.gen = l.occupy(fd, c)
	c.begin()
	c.touch()
	return c
}

// ID returns the number of c, which no other Conn of the Loop, or of its Group,
// has, had, or will have.
func (c *Conn) ID() uint64 { return c.id }

// Loop returns the Loop that c is on.
func (c *Conn) Loop() *Loop { return c.loop }

// FD returns the descriptor, to ask it for addresses and to set its options. It
// stays the Conn's, and its number may be another's when that is closed.
func (c *Conn) FD() int { return int(c.fd) }

// known reports whether the caller knows c: it has been opened, or comes from
// Attach or Dial, and is not being closed.
func (c *Conn) known() bool {
	return c.state == open || c.state == opening && c.ln == nil
}

// Conn returns the Conn with an ID, or nil if it is closed, being closed, or a
// Listener's and not opened yet.
func (l *Loop) Conn(id uint64) *Conn {
	if c := l.conns.get(id); c != nil && c.known() {
		return c
	}
	return nil
}
