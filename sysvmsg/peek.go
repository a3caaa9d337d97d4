//go:build linux

package sysvmsg

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Peek copies the message at an index, 0 being the oldest, whatever its type, and
// leaves it in the queue. The payload is p[:n]. It does not wait: [ErrEmpty] says
// that there are no more than index messages. Others may receive between two calls,
// so that the next index skips a message; it is meant for diagnosis.
//
// A message larger than p is [*ShortBufferError], and one that is larger than
// kernel.msgmax has become since is EINVAL. A kernel without
// CONFIG_CHECKPOINT_RESTORE cannot peek: that is errors.ErrUnsupported. See
// msgrcv(2), MSG_COPY, Linux ≥ 3.8.
func (q *Queue) Peek(index int, p []byte) (n int, t Type, err error) {
	if index < 0 {
		return 0, 0, q.wrap("peek into", fmt.Errorf("index %d: %w", index, unix.EINVAL))
	}
	c, n, e := q.look(index, len(p))
	defer c.buf.free()
	switch {
	case e == unix.ENOMSG:
		return 0, 0, ErrEmpty
	case e == unix.E2BIG:
		return 0, 0, q.wrap("peek into", &ShortBufferError{0, len(p)})
	case e != 0:
		return 0, 0, q.failed("peek into", "msgrcv", e)
	case n > len(p):
		return 0, 0, q.wrap("peek into", &ShortBufferError{n, len(p)})
	}
	return copy(p, c.buf.payload()[:n]), c.buf.getType(), nil
}

// look copies the message at an index into a buffer, which is to be freed. The
// buffer is larger than what is wanted, if need be: that is how to know the size of
// what is there.
func (q *Queue) look(index, want int) (call, int, unix.Errno) {
	c := call{id: q.id, buf: newBuffer(defaultRoom), size: defaultRoom}
	n, e := c.copy(index)
	if e != unix.E2BIG {
		return c, n, e
	}
	room := want
	if limits, err := ReadLimits(); err == nil {
		// The kernel copies no more; and a limit says nothing of what is there.
		room = min(max(want, largestKept), limits.Message)
	}
	if c.widen(room) {
		n, e = c.copy(index)
	}
	return c, n, e
}
