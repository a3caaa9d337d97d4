//go:build linux

package epoll

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// CloseWrite has the peer told, behind everything that was written, that nothing
// will follow. It returns [os.ErrClosed] after CloseWrite, Close, or Abort. Once
// the peer has told so, too, the Conn is closed with [io.EOF] as the reason.
func (c *Conn) CloseWrite() error {
	if c.state > open || c.is(finishing) {
		return os.ErrClosed
	}
	c.flags |= finishing
	c.touch()
	return nil
}

// linger is how long a peer that has received everything, and sends nothing more,
// has for closing, too.
const linger = time.Second

// Close ends c in order: no function of the Handler but Closed is called any more;
// what was written is sent, the peer is told that nothing follows, and when it has
// told so, too, the descriptor is closed. What the peer still sends meanwhile is
// thrown away, for a socket that is closed on unread bytes takes back what it has
// sent. A peer that has received everything, and sends nothing, has a second for
// that; Limits.Close bounds the rest.
//
// Closed is called with reason, which may be nil; if it is, and an error comes
// before the end, with that. If the bound passes and something is unsent, that is
// joined to the reason, as an [os.ErrDeadlineExceeded]. Close returns
// [os.ErrClosed] if c is closed or being closed.
func (c *Conn) Close(reason error) error {
	if c.state > open {
		return os.ErrClosed
	}
	c.leaveWith(closing, reason)
	c.begin()
	return nil
}

// Abort ends c when the callback has returned: what is unsent is dropped, and a
// TCP peer gets a reset. Closed is called with reason, or the one of a Close
// before. Abort returns [os.ErrClosed] if c is closed, or was aborted.
func (c *Conn) Abort(reason error) error {
	if c.state > lingering {
		return os.ErrClosed
	}
	if c.state > open && c.reason != nil {
		reason = c.reason
	}
	c.leaveWith(aborting, reason)
	return nil
}

func (c *Conn) leaveWith(s state, reason error) {
	c.state = s
	if reason != nil {
		c.reason = reason
	}
	c.touch()
}

// Detach takes c from its Loop. The descriptor, which is non-blocking, is the
// caller's from then on, and unsent what was written and not sent, in pieces, or
// packet by packet: nil unless the peer reads slowly. Bytes that Data was given
// are not given again: a handler that detaches in Data passes on a copy of them.
// No function of the Handler is called any more, Closed neither, and a Listener
// does not count c any more.
//
// Detach returns [os.ErrClosed] if c is closed, being closed, or not connected yet;
// and the error of a write that failed, with which c is going to be closed when it
// is not paused. Where something is unsent, what CloseWrite was to do behind it is
// left to the caller.
func (c *Conn) Detach() (fd int, unsent [][]byte, err error) {
	if c.state > open || c.is(connecting) {
		return -1, nil, os.ErrClosed
	}
	c.send()
	if c.is(finishing) && c.out == nil {
		c.finishWrite()
	}
	if c.is(broken) {
		return -1, nil, c.reason
	}
	if o := c.out; o != nil {
		for _, p := range o.segments(nil, len(o.more)+1) {
			unsent = append(unsent, bytes.Clone(p)) // the chunk is used again
		}
	}
	c.release()
	c.vacant()
	return int(c.fd), unsent, nil
}

// regulate does what depends on how much is unsent and unread.
func (c *Conn) regulate() {
	if c.is(full) && c.Unsent() <= c.h.lowWater() {
		c.flags &^= full
		if !c.is(broken) {
			c.call(c.h.Drained)
		}
	}
	if c.state == open && c.is(finishing) && c.out == nil {
		c.finishWrite()
	}
	if c.state == open && c.is(ended) && c.flags&(finished|broken) != 0 {
		c.leaveWith(closing, nil)
		if c.reason == nil {
			c.reason = io.EOF
		}
	}
}

// finishWrite tells the peer that nothing follows.
func (c *Conn) finishWrite() {
	if c.is(finished) || c.is(broken) {
		return
	}
	c.flags |= finished
	err := c.loop.kernel.shutdown(int(c.fd))
	if err == unix.ENOTCONN { // any more; why, is told only once
		err = cmp.Or(c.loop.kernel.soError(int(c.fd)), unix.ECONNRESET)
	}
	if err != 0 {
		c.breaks(os.NewSyscallError("shutdown", err))
	}
}

// leave takes the next step to the end.
func (c *Conn) leave() {
	switch {
	case c.state == aborting:
		c.loop.kernel.reset(int(c.fd))
		c.finish()
	case c.state == gone:
	case c.is(broken) || c.is(connecting) && c.out == nil:
		c.finish()
	case c.out != nil:
	case c.is(ended):
		c.finish()
	case c.state == closing:
		c.state = lingering
		c.begin()
		if c.finishWrite(); c.is(broken) {
			c.finish()
		}
	}
}

// finish closes the descriptor and calls Closed.
func (c *Conn) finish() {
	unheard := c.state == opening && c.ln != nil
	c.release()
	defer c.vacant()
	if err := failed("close", c.loop.kernel.closeFD(int(c.fd))); c.reason == nil {
		c.reason = err
	}
	if c.h.Closed != nil && !unheard {
		c.h.Closed(c, c.reason)
	}
}

// release takes c off its Loop.
func (c *Conn) release() {
	l := c.loop
	c.unwatch()
	l.vacate(int(c.fd), c.gen)
	c.drop()
	l.conns.remove(c)
	l.count.Add(-1)
	c.state = gone
	c.flags &^= dirty | waiting
}

// vacant tells those who wait that there is a place, or a descriptor, for another.
func (c *Conn) vacant() {
	if c.ln != nil {
		c.ln.left()
	}
	if l := c.loop; len(l.starved) > 0 {
		l.feed()
	}
}

// expire is called when the bound of c's state has passed.
func (c *Conn) expire() {
	switch {
	case c.state <= open && c.is(connecting):
		c.fail(os.NewSyscallError("connect", unix.ETIMEDOUT))
		c.touch()
	case c.state == open:
		_ = c.Close(ErrIdle)
	default:
		c.overstay()
	}
}

// overstay ends a Conn that is closed at its bound, unless the peer has not had its
// time for what it has not received, or is sending still.
func (c *Conn) overstay() {
	c.touch()
	if c.state == lingering && !c.is(late) {
		c.read(0) // what is unread would make a reset of the end
		if c.loop.kernel.unsent(int(c.fd)) > 0 {
			c.flags |= late
		}
		if c.is(ended) {
			return
		}
		if c.is(late) {
			c.await()
			return
		}
	}
	if c.Unsent() > 0 || c.loop.kernel.unsent(int(c.fd)) > 0 {
		err := fmt.Errorf("epoll: the peer has not received everything in time: %w", os.ErrDeadlineExceeded)
		if n := c.Unsent(); n > 0 {
			err = fmt.Errorf("epoll: %d bytes not sent in time: %w", n, os.ErrDeadlineExceeded)
		}
		if c.reason != nil {
			err = fmt.Errorf("%w; %w", c.reason, err)
		}
		c.reason = err
		c.state = aborting
	}
	c.flags |= broken
}
