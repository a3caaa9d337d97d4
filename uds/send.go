//go:build linux

package uds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Send sends p, one message or bytes of a Stream, and waits until there is room for
// it in the peer's queue. It returns when the kernel has it; that the peer reads it
// nobody promises. Send does not retain p.
//
// On the kinds that keep boundaries n is 0 or len(p), and a message longer than
// [Conn.MaxMessage] is EMSGSIZE before anything is sent. On a Stream all of p is
// sent, and n tells how much was if there is an error, so that a caller can go on.
//
// It ends with ctx, or by the write deadline. The peer's end is [ErrPeerClosed].
func (c *Conn) Send(ctx context.Context, p []byte) (n int, err error) {
	return c.send(ctx, request{p: p}, nil)
}

// Sendv is Send for a message in parts, a header and a body for example. On the kinds
// that keep boundaries more than 1024 parts are EMSGSIZE.
func (c *Conn) Sendv(ctx context.Context, bufs ...[]byte) (n int, err error) {
	return c.send(ctx, request{}, bufs)
}

// TrySend is Send that does not wait. [ErrFull] says that there is no room: then
// nothing was sent, but on a Stream the first n bytes. What another goroutine waits
// to send goes first; on a Stream there is no room while another one sends.
//
// There is room for a message as soon as the queue has some, earlier than poll(2)
// calls the socket writable, which is when three quarters are free.
func (c *Conn) TrySend(p []byte) (n int, err error) {
	return c.trySend(request{p: p}, nil)
}

// TrySendv is TrySend for a message in parts.
func (c *Conn) TrySendv(bufs ...[]byte) (n int, err error) {
	return c.trySend(request{}, bufs)
}

// Write is Send by the write deadline alone.
func (c *Conn) Write(p []byte) (n int, err error) {
	return c.send(context.Background(), request{p: p}, nil)
}

// SendTo is Send to the socket of that name, on a Datagram that is not connected or
// to be overruled; on the other kinds it fails with EISCONN. See [ListenDatagram].
//
// While that socket's queue is full it tries again, with pauses of up to 10 ms: the
// kernel tells only those that are connected to it when there is room. It may overtake
// a Send that waits.
func (c *Conn) SendTo(ctx context.Context, p []byte, name string) (n int, err error) {
	n, err = c.sendTo(ctx, p, name)
	var told *net.OpError
	if errors.As(err, &told) {
		told.Addr = addr(c.kind, name)
	}
	return n, err
}

// TrySendTo is SendTo that does not wait: [ErrFull] says that there is no room.
func (c *Conn) TrySendTo(p []byte, name string) (n int, err error) {
	to, err := destination(c.kind, name)
	if err == nil {
		n, err = c.sent(c.out.try(&request{p: p, name: to}, nil))
	} else {
		err = c.wrap("send", err)
	}
	var told *net.OpError
	if errors.As(err, &told) {
		told.Addr = addr(c.kind, name)
	}
	return n, err
}

// destination is where a socket of that kind can send to by name.
func destination(kind Kind, name string) (*address, error) {
	if kind != Datagram {
		return nil, unix.EISCONN
	}
	return parse(name)
}

func (c *Conn) sendTo(ctx context.Context, p []byte, name string) (n int, err error) {
	to, err := destination(c.kind, name)
	if err != nil {
		return 0, c.wrap("send", err)
	}
	r := request{p: p, name: to}
	for again := (retry{min: sendPauseMin, max: sendPauseMax}); ; {
		if ctx.Err() != nil {
			return 0, c.wrap("send", context.Cause(ctx))
		}
		res, err := c.out.try(&r, nil)
		if err != nil || res.errno != unix.EAGAIN {
			return c.sent(res, err)
		}
		again.pause(ctx, c.gone)
	}
}

func (c *Conn) send(ctx context.Context, r request, parts [][]byte) (int, error) {
	if empty(c.kind, r.p, parts) {
		return 0, nil
	}
	if c.kind == Stream {
		return c.sent(c.out.doAlone(ctx, &r, parts))
	}
	return c.sent(c.out.do(ctx, &r, parts))
}

func (c *Conn) trySend(r request, parts [][]byte) (int, error) {
	if empty(c.kind, r.p, parts) {
		return 0, nil
	}
	if c.kind == Stream {
		return c.sent(c.out.tryAlone(&r, parts))
	}
	return c.sent(c.out.try(&r, parts))
}

// empty reports whether there is nothing to send.
func empty(kind Kind, p []byte, parts [][]byte) bool { return kind == Stream && size(p, parts) == 0 }

// sent is what a call returns that came out as res.
func (c *Conn) sent(res result, err error) (int, error) {
	switch {
	case err == nil && res.errno == 0:
		return res.n, nil
	case err == nil && res.errno == unix.EAGAIN:
		return res.n, ErrFull
	case err == nil && res.err != nil:
		err = res.err
	case err == nil:
		err = c.sendError(res)
	}
	return res.n, c.wrap("send", err)
}

// sendError explains the errno of res.
func (c *Conn) sendError(res result) (explained error) {
	err := c.withFD(func(fd int) error {
		explained = sendError(fd, c.kind, res)
		return nil
	})
	if err != nil { // closed meanwhile
		return sendError(-1, c.kind, res)
	}
	return explained
}

// sendError explains why fd would not take the message of res.
func sendError(fd int, kind Kind, res result) error {
	e := res.errno
	err := os.NewSyscallError("sendmsg", e)
	switch {
	case e == unix.EMSGSIZE, e == unix.ENOBUFS && kind != Stream:
		// ENOBUFS: the memory for one message has an end, too, whatever the buffer.
		limit, _ := maxMessage(fd) // 0 then
		return &sizeError{res.size, limit, err}
	case closedByPeer(e):
		return fmt.Errorf("%w: %w", ErrPeerClosed, err)
	}
	return err
}

// sizeError matches EMSGSIZE, whichever way the kernel said it.
type sizeError struct {
	size, limit int
	err         error
}

func (e *sizeError) Error() string {
	if e.size <= e.limit {
		return fmt.Sprintf("message of %d bytes, no memory, or too many parts: %v", e.size, e.err)
	}
	return fmt.Sprintf("message of %d bytes, the send buffer allows %d: %v", e.size, e.limit, e.err)
}

func (e *sizeError) Unwrap() []error { return []error{unix.EMSGSIZE, e.err} }
