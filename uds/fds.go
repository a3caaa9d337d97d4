//go:build linux

package uds

import (
	"context"
	"fmt"
	"net"
	"syscall"
)

// MaxFDs is the number of descriptors that one message can carry. See unix(7),
// SCM_RIGHTS.
const MaxFDs = 253

// SendFDs sends p, as [Conn.Send], and with it the files behind fds. The receiver
// gets descriptors of its own; fds stay the caller's, who may close them as soon as
// SendFDs returns. What belongs to the open file is shared: the offset and the
// status flags, O_NONBLOCK among them.
//
// On a Stream p must have a byte at least. More than [MaxFDs] are EINVAL before
// anything is sent. ETOOMANYREFS says that as many as the limit of open files
// (RLIMIT_NOFILE) are sent and not received yet. A socket must not be sent over
// itself.
func (c *Conn) SendFDs(ctx context.Context, p []byte, fds ...int) (n int, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control, err := b.rights(c.kind, p, fds)
	if err != nil {
		return 0, c.wrap("send", err)
	}
	return c.send(ctx, request{p: p, control: control}, nil)
}

// TrySendFDs is SendFDs that does not wait, as [Conn.TrySend]. On a Stream the
// descriptors went with the first byte, if n is not 0.
func (c *Conn) TrySendFDs(p []byte, fds ...int) (n int, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control, err := b.rights(c.kind, p, fds)
	if err != nil {
		return 0, c.wrap("send", err)
	}
	return c.trySend(request{p: p, control: control}, nil)
}

// SendFiles is SendFDs for what packages os and net made, without a call of their
// Fd method, which would make the file blocking.
func (c *Conn) SendFiles(ctx context.Context, p []byte, files ...syscall.Conn) (n int, err error) {
	var send func(fds []int) error
	send = func(fds []int) error {
		if len(fds) == len(files) {
			n, err = c.SendFDs(ctx, p, fds...)
			return nil
		}
		raw, err := files[len(fds)].SyscallConn()
		if err != nil {
			return err
		}
		var inner error
		err = raw.Control(func(fd uintptr) { inner = send(append(fds, int(fd))) })
		if inner != nil {
			return inner
		}
		if err != nil {
			return fmt.Errorf("file %d: %w", len(fds), net.ErrClosed) // the only reason
		}
		return nil
	}
	if err := send(make([]int, 0, len(files))); err != nil {
		return 0, c.wrap("send", err)
	}
	return n, err
}

// ReceiveFDs receives a message, as [Conn.Receive], and the descriptors that came
// with it, which it puts into fds. They are nfds, are the caller's to close, and
// are close-on-exec. On a Stream it returns the bytes of one SendFDs at most.
//
// With an error nfds is 0, and nothing is left open. If there are more than len(fds),
// or the limit of open files cuts them short, the error is [ErrControl], and n bytes
// have been received. Receive and its kin drop descriptors that come.
func (c *Conn) ReceiveFDs(ctx context.Context, p []byte, fds []int) (n, nfds int, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control := b.room(len(fds))
	res, err := c.in.do(ctx, &request{p: p, control: control}, nil)
	n, err = c.received(res, err)
	return deliver(n, err, control, res, fds)
}

// TryReceiveFDs is ReceiveFDs that does not wait, as [Conn.TryReceive].
func (c *Conn) TryReceiveFDs(p []byte, fds []int) (n, nfds int, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control := b.room(len(fds))
	res, err := c.in.try(&request{p: p, control: control}, nil)
	n, err = c.received(res, err)
	return deliver(n, err, control, res, fds)
}
