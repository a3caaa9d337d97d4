//go:build linux

package sysvmsg

import (
	"context"

	"golang.org/x/sys/unix"
)

// Receive takes a message that s selects out of the queue, and waits until there is
// one. The payload is p[:n], which may be empty, and t its type.
//
// A message larger than p stays where it is, and the error is [*ShortBufferError]:
// a buffer of [Limits].Message bytes, 8192 mostly, is large enough for all.
//
// Receive ends with ctx, whose cause it returns; then no message has been taken. A
// message that comes at the same moment is returned, and no error.
func (q *Queue) Receive(ctx context.Context, s Selector, p []byte) (n int, t Type, err error) {
	if ctx.Err() != nil {
		return 0, 0, q.wrap("receive from", ended(ctx))
	}
	c, err := q.room(s, p)
	if err != nil {
		return 0, 0, err
	}
	defer c.buf.free()
	for {
		n, e := c.try()
		if e == unix.ENOMSG {
			if n, e, err = c.wait(ctx); err != nil {
				return 0, 0, q.wrap("receive from", err)
			}
		}
		if e != unix.E2BIG || !c.widen(len(p)) {
			return q.received(&c, p, n, e)
		}
	}
}

// TryReceive is Receive that does not wait: [ErrEmpty] says that there is no
// such message now.
func (q *Queue) TryReceive(s Selector, p []byte) (n int, t Type, err error) {
	c, err := q.room(s, p)
	if err != nil {
		return 0, 0, err
	}
	defer c.buf.free()
	n, e := c.try()
	if e == unix.E2BIG && c.widen(len(p)) {
		n, e = c.try()
	}
	if e == unix.ENOMSG {
		return 0, 0, ErrEmpty
	}
	return q.received(&c, p, n, e)
}

// Discard takes a message that s selects out of the queue, unread and however large
// it is, and returns its type. It does not wait: [ErrEmpty] says that there is no
// such message.
func (q *Queue) Discard(s Selector) (Type, error) {
	c, err := q.room(s, nil)
	if err != nil {
		return 0, err
	}
	defer c.buf.free()
	c.cut = true
	_, e := c.try()
	if e == unix.ENOMSG {
		return 0, ErrEmpty
	}
	_, t, err := q.received(&c, nil, 0, e)
	return t, err
}

// room returns the call that receives into p. Its buffer is to be freed.
func (q *Queue) room(s Selector, p []byte) (call, error) {
	if err := s.check(); err != nil {
		return call{}, q.wrap("receive from", err)
	}
	size := min(len(p), defaultRoom)
	return call{id: q.id, buf: newBuffer(size), size: size, selector: s}, nil
}

// received is what a receive into p returns that came to n and e.
func (q *Queue) received(c *call, p []byte, n int, e unix.Errno) (int, Type, error) {
	switch e {
	case 0:
		return copy(p, c.buf.payload()[:n]), c.buf.getType(), nil
	case unix.E2BIG:
		size := q.sizeOf(c.selector)
		if size <= len(p) {
			size = 0 // that of another one: somebody else has taken this one
		}
		return 0, 0, q.wrap("receive from", &ShortBufferError{size, len(p)})
	}
	return 0, 0, q.failed("receive from", "msgrcv", e)
}

// sizeOf returns the size of the message that s selects, 0 if that is unknown.
func (q *Queue) sizeOf(s Selector) int {
	if s != Any() {
		return 0
	}
	c, n, e := q.look(0, 0)
	defer c.buf.free()
	if e != 0 {
		return 0 // somebody else has it, or the kernel does not tell
	}
	return n
}
