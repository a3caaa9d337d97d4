//go:build linux

package epoll

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Dial makes a stream socket, which has TCP send without delay, and connects it to
// sa, without blocking. The Handler hears of the outcome: through Opened, or else
// through Closed with the error, or with ETIMEDOUT after Limits.Dial. What is
// written before is sent then. A UNIX socket whose backlog is full is tried again
// until then.
//
// The error of Dial itself is ErrStopped, that of limits that contradict each
// other, or one of socket(2).
func (l *Loop) Dial(sa unix.Sockaddr, h *Handler) (*Conn, error) {
	if l.over() {
		return nil, ErrStopped
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	domain := unix.AF_UNIX
	switch sa.(type) {
	case *unix.SockaddrInet4:
		domain = unix.AF_INET
	case *unix.SockaddrInet6:
		domain = unix.AF_INET6
	case *unix.SockaddrUnix:
	default:
		return nil, os.NewSyscallError("connect", unix.EAFNOSUPPORT)
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // or it is not TCP
	l.count.Add(1)
	c := l.attach(fd, h, connecting)
	c.connect(sa, minBackoff)
	return c, nil
}

// connect begins to connect. The outcome is told by an event, or a later try.
func (c *Conn) connect(sa unix.Sockaddr, delay time.Duration) {
	switch err := c.loop.kernel.connect(int(c.fd), sa); err {
	case 0, unix.EINPROGRESS, unix.EALREADY, unix.EISCONN:
		c.flags &^= waiting
	case unix.EAGAIN:
		c.flags |= waiting
		c.loop.after(delay, func() {
			if c.state != gone && c.is(waiting) {
				c.connect(sa, min(2*delay, maxBackoff))
			}
		})
	default:
		c.fail(os.NewSyscallError("connect", err))
	}
	c.touch()
}

// connected is called with events when the peer has answered.
func (c *Conn) connected() {
	c.flags |= dirty
	if err := failed("connect", c.loop.kernel.soError(int(c.fd))); err != nil {
		c.fail(err)
		return
	}
	c.flags &^= connecting
}
