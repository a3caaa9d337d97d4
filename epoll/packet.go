//go:build linux

package epoll

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A PacketHandler says what becomes of messages: functions that a Loop calls. One
// serves any number of PacketConns, and must not be changed once it has one. A
// field that is nil asks for nothing.
type PacketHandler struct {
	// Packet is called with a message, which may be empty, and who sent it: nil if
	// that has no name. The bytes lie in a buffer that the Loop shares; p is valid
	// until Packet returns.
	Packet func(c *PacketConn, p []byte, from unix.Sockaddr)

	// Failed is called with an error of the socket, which goes on: ECONNREFUSED for
	// a message that nobody took, EMSGSIZE for one that is longer than the Loop's
	// buffer, of which nothing is delivered.
	Failed func(c *PacketConn, err error)

	// Room is called when there is room again after a Send that returned ErrFull.
	Room func(c *PacketConn)
}

// A PacketConn is a datagram socket on a Loop: UDP, or UNIX datagrams. Its methods
// are for callbacks of the Loop, and for before Run.
type PacketConn struct {
	loop   *Loop // nil when closed
	h      *PacketHandler
	fd     int
	gen    uint32
	events Events
}

// packetBatch is how many messages are read before it is the turn of others.
const packetBatch = 64

// Packets reads messages from a datagram socket, and owns the descriptor from then
// on, which it makes non-blocking. The error, with which the descriptor stays the
// caller's, is ErrStopped, EPROTOTYPE for a socket that is not of datagrams, or one
// of getsockopt(2), fcntl(2) and epoll_ctl(2).
func (l *Loop) Packets(fd int, h *PacketHandler) (*PacketConn, error) {
	if l.over() {
		return nil, ErrStopped
	}
	if _, err := l.acquire(fd, unix.SOCK_DGRAM, unix.SOCK_RAW); err != nil {
		return nil, err
	}
	c := &PacketConn{loop: l, h: h, fd: fd, events: Readable}
	if err := l.kernel.add(fd, l.gen+1, c.events); err != nil {
		return nil, err
	}
	c.gen = l.occupy(fd, c)
	l.packets++
	return c, nil
}

// FD returns the descriptor, which stays the PacketConn's.
func (c *PacketConn) FD() int { return c.fd }

// Send sends p at once as one message: to somebody, or to whom the socket is
// connected if that is nil. ErrFull says that there is no room now, and that
// nothing is sent; the error is [os.ErrClosed], or that of sendto(2) otherwise:
// EMSGSIZE for a message that is too long.
//
// A UNIX socket that is not connected does not know when the one that it sends to
// has room; Room is then called at once, and should leave it to a Timer to try
// again.
func (c *PacketConn) Send(p []byte, to unix.Sockaddr) error {
	if c.loop == nil {
		return os.ErrClosed
	}
	err := c.loop.kernel.sendTo(c.fd, p, to)
	if err == unix.EAGAIN || err == unix.ENOBUFS {
		if err := c.set(Readable | Writable); err != nil {
			return err
		}
		return ErrFull
	}
	return failed("sendto", err)
}

// Close closes the descriptor. A second Close returns [os.ErrClosed].
func (c *PacketConn) Close() error {
	l := c.loop
	if l == nil {
		return os.ErrClosed
	}
	c.loop = nil
	l.packets--
	_ = l.kernel.remove(c.fd) // it is ours, and was added
	l.vacate(c.fd, c.gen)
	return failed("close", l.kernel.closeFD(c.fd))
}

func (c *PacketConn) interest() (Events, bool) { return c.events, true }

func (c *PacketConn) set(events Events) error {
	if events == c.events {
		return nil
	}
	err := c.loop.kernel.modify(c.fd, c.gen, events)
	if err == nil {
		c.events = events
	}
	return err
}

func (c *PacketConn) ready(e Events) {
	if e&Writable != 0 {
		if err := c.set(Readable); err != nil {
			c.failed(err)
		} else if c.h.Room != nil {
			c.h.Room(c)
		}
	}
	if e&^Writable == 0 {
		return
	}
	for range packetBatch {
		if c.loop == nil || !c.receive() {
			return
		}
	}
}

// receive reads a message, and reports whether there may be another.
func (c *PacketConn) receive() bool {
	l := c.loop
	n, from, err := l.kernel.receiveFrom(c.fd, l.input)
	switch {
	case err == unix.EAGAIN:
		return false
	case err != 0:
		c.failed(os.NewSyscallError("recvfrom", err))
		return err != unix.EBADF
	case n > len(l.input):
		c.failed(fmt.Errorf("epoll: a message of %d bytes where %d are read: %w", n, len(l.input), unix.EMSGSIZE))
	case c.h.Packet != nil:
		c.h.Packet(c, l.input[:n:n], from)
	}
	return true
}

func (c *PacketConn) failed(err error) {
	if c.h.Failed != nil {
		c.h.Failed(c, err)
	}
}
