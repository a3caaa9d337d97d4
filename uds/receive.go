//go:build linux

package uds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Receive waits for a message, or for bytes of a Stream, and puts them into p, which
// it does not retain.
//
// A message longer than p is a *[TruncatedError] with its true size: p has the
// beginning, n is len(p), and the rest is lost. [Conn.Size] tells the size of the
// next message, and [Conn.MaxMessage] of the sender the largest.
//
// At the end of a Stream or SeqPacket it returns io.EOF; on a Datagram there is none.
// A message of 0 bytes is n = 0 without an error. On a SeqPacket the kernel does not
// tell it from the end: an empty message is io.EOF once the peer has closed, if only
// empty ones follow it.
//
// It ends with ctx, or by the read deadline; then nothing is lost.
func (c *Conn) Receive(ctx context.Context, p []byte) (n int, err error) {
	if c.kind == Stream && len(p) == 0 {
		return 0, nil
	}
	res, err := c.in.do(ctx, &request{p: p}, nil)
	return c.received(res, err)
}

// TryReceive is Receive that does not wait: if nothing has come, it returns
// [ErrEmpty].
func (c *Conn) TryReceive(p []byte) (n int, err error) {
	if c.kind == Stream && len(p) == 0 {
		return 0, nil
	}
	res, err := c.in.try(&request{p: p}, nil)
	return c.received(res, err)
}

// Read is Receive by the read deadline alone.
func (c *Conn) Read(p []byte) (n int, err error) {
	return c.Receive(context.Background(), p)
}

// ReceiveFrom is Receive that returns the name of the sender, too, "" if it has none.
// On kinds other than Datagram that is the name of RemoteAddr.
func (c *Conn) ReceiveFrom(ctx context.Context, p []byte) (n int, from string, err error) {
	var a address
	res, err := c.in.do(ctx, &request{p: p, name: &a}, nil)
	n, err = c.received(res, err)
	return n, a.name(), err
}

// TryReceiveFrom is ReceiveFrom that does not wait: if nothing has come, it returns
// [ErrEmpty].
func (c *Conn) TryReceiveFrom(p []byte) (n int, from string, err error) {
	var a address
	res, err := c.in.try(&request{p: p, name: &a}, nil)
	n, err = c.received(res, err)
	return n, a.name(), err
}

// Size waits for a message and returns its size, in bytes, but leaves it to the next
// Receive, which may be another goroutine's. It is for the kinds that keep
// boundaries; on a Stream it returns errors.ErrUnsupported. See recv(2), MSG_PEEK.
func (c *Conn) Size(ctx context.Context) (int, error) {
	if c.kind == Stream {
		return 0, c.wrap("size", errNoMessages)
	}
	res, err := c.in.do(ctx, &request{flags: unix.MSG_PEEK}, nil)
	if err != nil || res.errno != 0 || res.end {
		return c.received(res, err)
	}
	return res.n, nil
}

// TrySize is Size that does not wait: if nothing has come, it returns [ErrEmpty].
func (c *Conn) TrySize() (int, error) {
	if c.kind == Stream {
		return 0, c.wrap("size", errNoMessages)
	}
	res, err := c.in.try(&request{flags: unix.MSG_PEEK}, nil)
	if err != nil || res.errno != 0 || res.end {
		return c.received(res, err)
	}
	return res.n, nil
}

// received is what a call returns that came out as res.
func (c *Conn) received(res result, err error) (int, error) {
	n, err := outcome(res, err)
	if err == nil || err == io.EOF || telling(err) {
		return n, err
	}
	return n, c.wrap("receive", err)
}

// telling reports whether err says all that there is to say.
func telling(err error) bool {
	return errors.Is(err, ErrEmpty) || errors.Is(err, io.ErrShortBuffer)
}

// outcome tells the number of bytes received, and the error.
func outcome(res result, err error) (int, error) {
	switch {
	case err != nil:
		return 0, err
	case res.errno == unix.EAGAIN:
		return 0, ErrEmpty
	case res.errno != 0:
		err = os.NewSyscallError("recvmsg", res.errno)
		if closedByPeer(res.errno) {
			err = fmt.Errorf("%w: %w", ErrPeerClosed, err)
		}
		return 0, err
	case res.end:
		return 0, io.EOF
	case res.n > res.size:
		return res.size, &TruncatedError{Size: res.n, Buffer: res.size}
	}
	return res.n, nil
}
