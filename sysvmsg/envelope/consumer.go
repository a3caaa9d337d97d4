//go:build linux

package envelope

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// Options are what a Consumer takes for a good message. Nil is the zero value.
//
// Ages compare the clocks of this process and of the sender, which are one clock on
// one host, but may have been set in between.
type Options struct {
	Schema uint16        // that the Header must have
	MaxAge time.Duration // an older message is stale; 0 = no limit
	// MaxAhead is how far in the future a message may have been sent; 0 = no limit.
	MaxAhead time.Duration
	// Buffer is what the Consumer has room for at first, in bytes; 0 = the kernel's
	// msgmax. It grows to what a queue holds that was sent when msgmax was larger.
	Buffer int
	Now    func() time.Time // the clock; nil = time.Now
}

// A Consumer receives messages in envelopes, and puts aside what is none of them.
// One goroutine may use it at a time.
type Consumer struct {
	q     *sysvmsg.Queue
	aside Quarantine
	o     Options
	buf   []byte
	msg   []byte       // in buf: the message that was received last
	typ   sysvmsg.Type // of msg
	given bool         // msg is with the caller, who may reject it
	held  error        // why msg is to go to the Quarantine, or nil
	ended context.Context
	count counters
}

// A Message is one that was in order.
type Message struct {
	Header
	Type    sysvmsg.Type
	Payload []byte // aliases the Consumer's buffer: valid until the next call of Receive or TryReceive
}

// NewConsumer returns a Consumer for a queue. Messages that are not in order go to
// aside, which is not nil. It owns nothing that is to be closed, but see Flush.
func NewConsumer(q *sysvmsg.Queue, aside Quarantine, o *Options) (*Consumer, error) {
	if aside == nil {
		return nil, fmt.Errorf("envelope: no Quarantine; Drop is the one that keeps nothing: %w", os.ErrInvalid)
	}
	c := &Consumer{q: q, aside: aside}
	if o != nil {
		c.o = *o
	}
	if c.o.Now == nil {
		c.o.Now = time.Now
	}
	size := c.o.Buffer
	if size <= 0 {
		limits, err := sysvmsg.ReadLimits()
		if err != nil {
			return nil, err
		}
		size = limits.Message
	}
	c.buf = make([]byte, size)
	var cancel context.CancelFunc
	c.ended, cancel = context.WithCancel(context.Background())
	cancel()
	return c, nil
}

// Receive returns the next message in order that s selects, and waits for one until
// ctx ends. The message that it returned before is done with, unless Reject was
// called. What it meets that is not in order goes to the Quarantine. If that fails,
// Receive returns the error, holds the message, and begins with it when it is
// called again. Other errors are those of sysvmsg.Queue.Receive.
func (c *Consumer) Receive(ctx context.Context, s sysvmsg.Selector) (Message, error) {
	return c.next(ctx, s, (*sysvmsg.Queue).Receive)
}

// TryReceive is Receive that waits neither for a message nor for the Quarantine:
// sysvmsg.ErrEmpty says that there is no message in order.
func (c *Consumer) TryReceive(s sysvmsg.Selector) (Message, error) {
	return c.next(c.ended, s, try)
}

// Reject puts the message in quarantine that Receive or TryReceive has returned
// last: the application cannot use it, and reason says why. If that fails, the
// Consumer holds the message, and Reject need not be called again. The error is
// that of the Quarantine, or os.ErrInvalid if there is no such message.
func (c *Consumer) Reject(ctx context.Context, reason error) error {
	if !c.given {
		return fmt.Errorf("envelope: no message to reject: %w", os.ErrInvalid)
	}
	c.given, c.held = false, ErrRejected
	if reason != nil {
		c.held = fmt.Errorf("%w: %w", ErrRejected, reason)
	}
	return c.Flush(ctx)
}

// Flush puts the message in quarantine that the Consumer holds, if there is one. It
// is for those who have an error of the Quarantine and do not call Receive again.
func (c *Consumer) Flush(ctx context.Context) error {
	if c.held == nil {
		return nil
	}
	if err := c.aside.Put(ctx, c.typ, c.msg, c.held); err != nil {
		// The reason is only told: what it matches says nothing of the Quarantine.
		return fmt.Errorf("envelope: holding a message of type %d from %v (%s): quarantine: %w", c.typ, c.q, c.held.Error(), err)
	}
	c.count.add(c.held)
	c.held = nil
	return nil
}

// Held returns the message that waits for the Quarantine, and why, or a nil error
// if there is none. P aliases the Consumer's buffer, as a Message does.
func (c *Consumer) Held() (t sysvmsg.Type, p []byte, reason error) {
	if c.held == nil {
		return 0, nil, nil
	}
	return c.typ, c.msg, c.held
}

// A receive is sysvmsg.Queue.Receive, or try.
type receive func(*sysvmsg.Queue, context.Context, sysvmsg.Selector, []byte) (int, sysvmsg.Type, error)

// try is TryReceive as a receive.
func try(q *sysvmsg.Queue, _ context.Context, s sysvmsg.Selector, p []byte) (int, sysvmsg.Type, error) {
	return q.TryReceive(s, p)
}

// next does what Receive says.
func (c *Consumer) next(ctx context.Context, s sysvmsg.Selector, r receive) (Message, error) {
	c.given = false
	for {
		if err := c.Flush(ctx); err != nil {
			return Message{}, err
		}
		if err := c.fetch(ctx, s, r); err != nil {
			return Message{}, err
		}
		h, payload, err := Parse(c.msg)
		if err == nil {
			err = c.o.judge(h)
		}
		if err == nil {
			c.given = true
			c.count.received.Add(1)
			return Message{Header: h, Type: c.typ, Payload: payload}, nil
		}
		c.held = err
	}
}

// fetch receives one message, whatever it is.
func (c *Consumer) fetch(ctx context.Context, s sysvmsg.Selector, r receive) error {
	for {
		n, t, err := r(c.q, ctx, s, c.buf)
		if err == nil {
			c.msg, c.typ = c.buf[:n], t
			return nil
		}
		if !errors.Is(err, io.ErrShortBuffer) {
			return err
		}
		// The message stays in the queue, and is no larger than all that is there. If
		// that fits, another process has taken the message.
		stat, err := c.q.Stat()
		if err != nil {
			return err
		}
		if stat.Bytes > len(c.buf) {
			c.buf = make([]byte, stat.Bytes)
		}
	}
}

// judge returns why a message with this header is not in order.
func (o *Options) judge(h Header) error {
	if h.Schema != o.Schema {
		return fmt.Errorf("envelope: schema is %d, want %d: %w", h.Schema, o.Schema, ErrForeign)
	}
	if o.MaxAge <= 0 && o.MaxAhead <= 0 {
		return nil
	}
	age := o.Now().Sub(h.Time)
	switch {
	case h.Time.IsZero():
		return fmt.Errorf("envelope: age is unknown: %w", ErrStale)
	case o.MaxAge > 0 && age > o.MaxAge:
		return fmt.Errorf("envelope: sent %v ago, at most %v: %w", age, o.MaxAge, ErrStale)
	case o.MaxAhead > 0 && age < -o.MaxAhead:
		return fmt.Errorf("envelope: sent %v in the future, at most %v: %w", -age, o.MaxAhead, ErrStale)
	}
	return nil
}
