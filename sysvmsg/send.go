//go:build linux

package sysvmsg

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// Send puts a message into the queue, and waits until there is room. It returns
// when the kernel has the message; that somebody receives it nobody promises. Of
// senders that wait, the first one is served first. Send does not retain p, which
// may be empty.
//
// It ends with ctx, whose cause it returns; then nothing has been sent. A message
// that there can never be room for is [ErrTooLarge] at once.
func (q *Queue) Send(ctx context.Context, t Type, p []byte) error {
	if ctx.Err() != nil {
		return q.wrap("send to", ended(ctx))
	}
	c, err := q.message(t, p)
	if err != nil {
		return err
	}
	defer c.buf.free()
	_, e := c.try()
	if e == unix.EAGAIN {
		if err := q.fits(len(p)); err != nil {
			return q.wrap("send to", err)
		}
		if _, e, err = c.wait(ctx); err != nil {
			return q.wrap("send to", err)
		}
	}
	return q.sent(len(p), e)
}

// TrySend is Send that does not wait: [ErrFull] says that there is no room now.
func (q *Queue) TrySend(t Type, p []byte) error {
	c, err := q.message(t, p)
	if err != nil {
		return err
	}
	defer c.buf.free()
	_, e := c.try()
	if e == unix.EAGAIN {
		if err := q.fits(len(p)); err != nil {
			return q.wrap("send to", err)
		}
		return ErrFull
	}
	return q.sent(len(p), e)
}

// message returns the call that sends p. Its buffer is to be freed.
func (q *Queue) message(t Type, p []byte) (call, error) {
	if err := t.check(); err != nil {
		return call{}, q.wrap("send to", err)
	}
	if len(p) > defaultRoom {
		if err := tooLarge(len(p)); err != nil {
			return call{}, q.wrap("send to", err)
		}
	}
	b := newBuffer(len(p))
	b.setType(t)
	copy(b.payload(), p)
	return call{id: q.id, buf: b, size: len(p), send: true}, nil
}

// sent is what a send returns that came to e.
func (q *Queue) sent(size int, e unix.Errno) error {
	if e == 0 {
		return nil
	}
	if e == unix.EINVAL {
		if err := tooLarge(size); err != nil {
			return q.wrap("send to", err)
		}
	}
	return q.failed("send to", "msgsnd", e)
}

// tooLarge returns an error if no queue takes a message of that size.
func tooLarge(size int) error {
	limits, err := ReadLimits()
	if err != nil || size <= limits.Message {
		return nil // the kernel has the last word
	}
	return fmt.Errorf("%w: %d bytes, kernel.msgmax is %d", ErrTooLarge, size, limits.Message)
}

// fits returns an error if q, even empty, has no room for a message of that size:
// the kernel would wait for ever.
func (q *Queue) fits(size int) error {
	s, e := q.state()
	switch {
	case e == unix.EACCES:
		return nil // before Linux 4.17 one who may only send cannot know
	case e != 0:
		return q.explain("msgctl", e)
	case uint(max(size, 1)) > s.capacity:
		return fmt.Errorf("%w: %d bytes, the queue takes %d", ErrTooLarge, size, s.capacity)
	}
	return nil
}
