//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// A taker takes whole messages from a queue, whatever they hold.
type taker struct {
	q   *sysvmsg.Queue
	buf []byte // grows to what is there
}

// newTaker returns a taker with room for what may be sent now.
func newTaker(q *sysvmsg.Queue) (*taker, error) {
	limits, err := sysvmsg.ReadLimits()
	if err != nil {
		return nil, err
	}
	return &taker{q: q, buf: make([]byte, limits.Message)}, nil
}

// take receives a message, and waits for one as patience says. It is valid until
// the next call.
func (r *taker) take(ctx context.Context, s sysvmsg.Selector, wait patience) (sysvmsg.Type, []byte, error) {
	if err := context.Cause(ctx); err != nil {
		return 0, nil, err
	}
	// A short time may be over before Receive has looked at the queue.
	t, message, err := r.fit(func() (int, sysvmsg.Type, error) { return r.q.TryReceive(s, r.buf) })
	if wait == 0 || !errors.Is(err, sysvmsg.ErrEmpty) {
		return t, message, err
	}
	ctx, cancel := wait.limit(ctx, sysvmsg.ErrEmpty)
	defer cancel()
	return r.fit(func() (int, sysvmsg.Type, error) { return r.q.Receive(ctx, s, r.buf) })
}

// peek looks at a message, which stays. It is valid until the next call.
func (r *taker) peek(index int) (sysvmsg.Type, []byte, error) {
	return r.fit(func() (int, sysvmsg.Type, error) { return r.q.Peek(index, r.buf) })
}

// fit calls get again, with a larger buffer, if a message is larger.
func (r *taker) fit(get func() (int, sysvmsg.Type, error)) (sysvmsg.Type, []byte, error) {
	for again := false; ; again = true {
		n, t, err := get()
		if err == nil {
			return t, r.buf[:n], nil
		}
		if !errors.Is(err, io.ErrShortBuffer) {
			return 0, nil, err
		}
		stat, statErr := r.q.Stat() // no message is larger than all of them
		switch {
		case statErr != nil:
			return 0, nil, statErr
		case stat.Bytes > len(r.buf):
			r.buf = make([]byte, stat.Bytes)
		case again: // the kernel shows no message that is larger than msgmax is now
			return 0, nil, err
		}
	}
}

// putBackTime bounds how long a message waits for room in the queue that it came
// from. There is room at first, but others send as well.
const putBackTime = 5 * time.Second

// errLost is that a message is neither where it should be nor where it was.
var errLost = errors.New("a message is LOST")

// putBack sends a message to the queue that it came from, because of an error that
// keeps it from going where it should. It returns that error, and what has become
// of the message: it is at the end of the queue, or errLost and in the text.
func putBack(ctx context.Context, q *sysvmsg.Queue, t sysvmsg.Type, message []byte, because error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackTime)
	defer cancel()
	if err := q.Send(ctx, t, message); err != nil {
		return fmt.Errorf("%w; %w: it cannot be put back: %w: type %d, %q", because, errLost, err, t, message)
	}
	return fmt.Errorf("%w; the message of type %d is at the end of %v again", because, t, q)
}
