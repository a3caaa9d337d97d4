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
	if err := checkFDs(c.kind, p, len(fds)); err != nil {
		return 0, c.wrap("send", err)
	}
	return c.send(ctx, request{p: p, control: b.rights(fds)}, nil)
}

// TrySendFDs is SendFDs that does not wait, as [Conn.TrySend]. On a Stream the
// descriptors went with the first byte, if n is not 0.
func (c *Conn) TrySendFDs(p []byte, fds ...int) (n int, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	if err := checkFDs(c.kind, p, len(fds)); err != nil {
		return 0, c.wrap("send", err)
	}
	return c.trySend(request{p: p, control: b.rights(fds)}, nil)
}

// SendFiles is SendFDs for what packages os and net made, without a call of their
// Fd method, which would make the file blocking. A file may be closed while SendFiles
// waits for room, which is net.ErrClosed then.
func (c *Conn) SendFiles(ctx context.Context, p []byte, conns ...syscall.Conn) (n int, err error) {
	if len(conns) == 0 {
		return c.Send(ctx, p)
	}
	if err := checkFDs(c.kind, p, len(conns)); err != nil {
		return 0, c.wrap("send", err)
	}
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	return c.send(ctx, request{p: p, files: &files{conns, b}}, nil)
}

// files are to be sent, and memory for the control message.
type files struct {
	conns []syscall.Conn
	b     *controlBuffer
}

// hold calls f with the control message for the files, whose descriptors are open
// until f returns. They are not duplicated: to close a duplicate of a file would end
// the locks that the process has on its records, see fcntl(2), F_SETLK.
func (s *files) hold(f func(control []byte)) error {
	return s.holdFrom(0, make([]int, 0, len(s.conns)), func(fds []int) { f(s.b.rights(fds)) })
}

func (s *files) holdFrom(i int, fds []int, f func(fds []int)) error {
	if i == len(s.conns) {
		f(fds)
		return nil
	}
	raw, err := s.conns[i].SyscallConn()
	if err == nil {
		var behind error
		if err = raw.Control(func(fd uintptr) { behind = s.holdFrom(i+1, append(fds, int(fd)), f) }); err == nil {
			return behind
		}
		err = net.ErrClosed // the only reason
	}
	return fmt.Errorf("file %d: %w", i, err)
}

// ReceiveFDs receives a message, as [Conn.Receive], and the descriptors that came
// with it, which it puts into fds. They are nfds, are the caller's to close, and
// are close-on-exec. On a Stream bytes that were sent before may stand in front of those
// that they came with, and none behind.
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
