//go:build linux

package epoll

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// read hands what the peer has sent to the Handler, until a read gets less than it
// could, or the turn is over. More than that is told of again.
func (c *Conn) read(e Events) {
	l := c.loop
	for left := c.h.turn(); left > 0 && c.reads(); {
		p := l.input[:min(left, len(l.input))]
		n, err := 0, unix.Errno(0)
		if c.is(packets) {
			p = l.input
			n, err = c.receive(p)
		} else {
			n, err = l.kernel.read(int(c.fd), p)
		}
		switch {
		case err == unix.EAGAIN:
			c.breakdown(e)
			c.dried()
			return
		case err != 0:
			c.fail(os.NewSyscallError("recvfrom", err))
			return
		case n == 0:
			c.end()
			return
		}
		c.progress()
		if c.state == open && c.h.Data != nil {
			if err := c.h.Data(c, p[:n:n]); err != nil {
				_ = c.Close(err) // or it is being closed
			}
			c.send()
		} else if c.state == lingering {
			c.flags |= late
		}
		if c.is(packets) {
			left -= max(n, 1<<10) // a flood of small ones is to end its turn as well
			continue
		}
		if n < len(p) {
			c.dried()
			return
		}
		left -= n
	}
	if c.state == open && c.is(broken) {
		c.flags |= dirty // to be read on without an event, which may never come
	}
}

// dried is called when nothing is left to read. A Conn that cannot write waits for
// that only: its peer may never send again, nor close.
func (c *Conn) dried() {
	if c.state == open && c.is(broken) {
		c.fail(c.reason)
	}
}

// receive reads a packet. One that p is too short for is an error, of which
// nothing is delivered, unless it is to be thrown away.
func (c *Conn) receive(p []byte) (int, unix.Errno) {
	n, _, err := c.loop.kernel.receiveFrom(int(c.fd), p)
	if err == unix.ECONNRESET {
		// It is told before what was sent, and then forgotten.
		n, _, err = c.loop.kernel.receiveFrom(int(c.fd), p)
		if err == unix.EAGAIN || err == 0 && n == 0 {
			err = unix.ECONNRESET
		}
	}
	if n > len(p) && c.state == open {
		err = unix.EMSGSIZE
	}
	return n, err
}

// breakdown reports whether events tell of an error, with which c ends then.
func (c *Conn) breakdown(e Events) bool {
	if e&(Failed|Hangup) == 0 {
		return false
	}
	err := c.loop.kernel.soError(int(c.fd))
	if err == 0 {
		return false
	}
	c.fail(os.NewSyscallError("recvfrom", err))
	return true
}

// end is the end of what the peer sends.
func (c *Conn) end() {
	c.flags |= ended | dirty
	switch {
	case c.state != open:
	case c.is(broken):
		c.state = closing
	case c.h.EOF != nil:
		c.call(c.h.EOF)
	default:
		_ = c.Close(io.EOF)
	}
}

// fail is an error after which nothing can be read or written.
func (c *Conn) fail(err error) {
	if c.reason == nil {
		c.reason = err
	}
	c.flags |= broken | ended | dirty
	c.flags &^= connecting | waiting | blocked
	c.drop()
	if c.state < closing {
		c.state = closing
	}
}
