//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/procpool/dispatch"
)

// A conn is a connection to a client, the State of its epoll.Conn.
//
// Its requests are submitted as they come. It is held while no more should be, as too
// many wait for a worker, or the client does not read the answers: what has been read
// stays in the decoder then, and the rest in the socket.
type conn struct {
	*epoll.Conn
	on     *reactor
	flow   *dispatch.Flow
	in     framing.Decoder
	remote netip.AddrPort // of a TCP connection
	held   bool
	ended  bool // the client has sent everything
	ending loop.Ending
}

// of returns the conn of e.
func of(e *epoll.Conn) *conn { return e.State.(*conn) }

// Requests are submitted with a Cookie that says what they are.
const (
	echoes   = iota // sent again if a worker dies that has begun it
	commands        // reported as lost then
)

// data submits what was read.
func (c *conn) data(p []byte) error {
	c.on.counts.BytesIn.Add(int64(len(p)))
	c.ending.Read(len(p))
	return c.submit(p)
}

// submit submits the requests that are complete with p, as far as there is room.
func (c *conn) submit(p []byte) (err error) {
	requests, full := 0, c.Full()
	for frame, broken := range c.in.Frames(p) {
		if err = broken; err != nil {
			break
		}
		r := dispatch.Request{Payload: frame, Cookie: echoes, Redeliver: true}
		if c.isCommand(frame) {
			r.Cookie, r.Redeliver = commands, false
		}
		if err = c.on.requests.Submit(c.flow, r); err != nil {
			break
		}
		if requests++; c.held || full {
			c.hold()
			break
		}
	}
	c.on.counts.Requests.Add(int64(requests))
	if err == nil {
		c.endIfDone()
	}
	return err
}

// isCommand reports whether a frame is one for Handler.Run.
func (c *conn) isCommand(frame []byte) bool {
	if !c.on.commands {
		return false
	}
	payload := c.on.config.Codec.Payload(frame)
	return len(payload) > 0 && payload[0] == '/'
}

// hold has no more requests submitted, until goOn.
func (c *conn) hold() {
	if !c.held {
		c.held = true
		c.Pause()
	}
}

// goOn submits what was held, if there is room.
func (c *conn) goOn() {
	if c.held && !c.flow.Full() && !c.Full() {
		c.held = false
		if err := c.submit(nil); err != nil {
			_ = c.Close(err) // or it is closed
		} else if !c.held {
			c.Resume()
		}
	}
}

// drained is called when the client reads again.
func (c *conn) drained() error {
	c.goOn()
	return nil
}

// answer writes the answer to a request.
func (c *conn) answer(a *dispatch.Answer) (err error) {
	n := 0
	switch {
	case a.Err == nil:
		n, err = c.Write(a.Payload)
		c.on.written += n
	case a.Cookie == commands:
		err = c.WritePayload(fmt.Append(nil, "error: ", a.Err))
	case errors.Is(a.Err, dispatch.ErrLost):
		return errLost
	default:
		return a.Err
	}
	if err == nil {
		c.endIfDone()
	}
	return err
}

// WritePayload writes payload as one frame.
func (c *conn) WritePayload(payload []byte) error {
	frame, err := c.on.config.Codec.AppendFrame(nil, payload)
	if err != nil {
		return err
	}
	n, err := c.Write(frame)
	c.on.written += n
	return err
}

// eof is called when the client has sent everything. It is answered.
func (c *conn) eof() error {
	c.ended = true
	c.endIfDone()
	return loop.Inside(&c.in)
}

// End closes c when it has answered what it has in hand.
func (c *conn) End() {
	c.ending.Now()
	c.endIfDone()
}

// finish closes c when it has answered what has arrived by now.
func (c *conn) finish() {
	c.ending.Soon(c.FD())
	c.endIfDone()
}

// endIfDone closes c if it is to end and has answered all, or its client does not read
// the answers; and tells a client that has sent everything when it has got everything.
func (c *conn) endIfDone() {
	done := c.flow.Pending() == 0 && !c.held
	switch {
	case c.ending.Due() && (done || c.Full()):
		_ = c.Close(nil) // or it is closed
	case c.ended && done:
		_ = c.CloseWrite() // or it is closed
	}
}

// closed is told why c was closed.
func (c *conn) closed(reason error) {
	c.flow.Discard()
	loop.Closed(c.on.log, &c.on.counts, c.ID(), c.remote, reason)
	c.on.left()
}
