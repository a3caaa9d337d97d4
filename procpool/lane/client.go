//go:build linux

package lane

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrEnded says that the lane of a call has ended.
var ErrEnded = errors.New("lane: ended")

// A RefusedError is why a call has come to nothing, in the words of the other side,
// and with a number that those two have agreed on, or 0.
type RefusedError struct {
	Code uint64
	Text string
}

func (e *RefusedError) Error() string { return e.Text }

// A Client makes calls to the other side of a worker's lane. [Server.ServeCalls] has
// it work; before that calls wait. It comes from NewClient.
type Client struct {
	max   int
	ready chan struct{} // closed by begin and end
	late  func()

	mu    sync.Mutex
	out   *sender // nil before begin
	err   error   // why there are no more calls
	id    uint64
	calls map[uint64]chan outcome
}

// An outcome is what has become of a call.
type outcome struct {
	payload []byte
	err     error
}

// NewClient returns a Client whose messages have up to so many bytes, DefaultMax if it
// is 0. Late, if not nil, is told of each return that nobody waits for any more.
func NewClient(limit int, late func()) *Client {
	if limit == 0 {
		limit = DefaultMax
	}
	if late == nil {
		late = func() {}
	}
	return &Client{max: limit, ready: make(chan struct{}), late: late, calls: make(map[uint64]chan outcome)}
}

// begin has c send.
func (c *Client) begin(out *sender) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = out
	if c.err == nil {
		close(c.ready)
	}
}

// end ends all calls, those that wait and those to come.
func (c *Client) end(err error) {
	if err == nil {
		err = ErrEnded
	} else {
		err = fmt.Errorf("%w: %w", ErrEnded, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	if c.err = err; c.out == nil {
		close(c.ready)
	}
	for id, call := range c.calls {
		delete(c.calls, id)
		call <- outcome{err: err}
	}
}

// Call sends a message, and waits for its return until ctx ends: then it returns the
// cause, and the return is dropped when it comes. What it returns is the caller's. An
// error is a *RefusedError, ErrTooLong, or ErrEnded.
func (c *Client) Call(ctx context.Context, tag uint64, payload []byte) ([]byte, error) {
	id, call, err := c.start(ctx, tag, payload)
	if err != nil {
		return nil, err
	}
	select {
	case o := <-call:
		return o.payload, o.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, id)
	select {
	case o := <-call: // just now
		return o.payload, o.err
	default:
		return nil, context.Cause(ctx)
	}
}

// start sends a message.
func (c *Client) start(ctx context.Context, tag uint64, payload []byte) (uint64, chan outcome, error) {
	if len(payload) > c.max {
		return 0, nil, fmt.Errorf("%w: a call of %d bytes, %d are the limit", ErrTooLong, len(payload), c.max)
	}
	select {
	case <-c.ready:
	case <-ctx.Done():
		return 0, nil, context.Cause(ctx)
	}
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return 0, nil, c.err
	}
	id, call := c.id, make(chan outcome, 1)
	c.id++
	c.calls[id] = call
	c.mu.Unlock()
	err := c.out.send(func(dst []byte) []byte { return Append(dst, Header{Kind: KindCall, ID: id, Tag: tag}, payload) })
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.calls, id)
		return 0, nil, fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return id, call, nil
}

// returned is told what has become of a call.
func (c *Client) returned(h Header, payload []byte) {
	c.mu.Lock()
	call := c.calls[h.ID]
	delete(c.calls, h.ID)
	c.mu.Unlock()
	switch {
	case call == nil:
		c.late()
	case h.Kind == KindRefusal:
		call <- outcome{err: &RefusedError{Code: h.Tag, Text: string(payload)}}
	default:
		call <- outcome{payload: append([]byte(nil), payload...)}
	}
}
