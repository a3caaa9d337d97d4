//go:build linux

package uds

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
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
	control, err := rights(c.kind, p, fds)
	if err != nil {
		return 0, c.wrap("send", err)
	}
	return c.send(ctx, request{p: p, control: control}, nil)
}

// TrySendFDs is SendFDs that does not wait, as [Conn.TrySend]. On a Stream the
// descriptors went with the first byte, if n is not 0.
func (c *Conn) TrySendFDs(p []byte, fds ...int) (n int, err error) {
	control, err := rights(c.kind, p, fds)
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
	control := room(len(fds))
	res, err := c.in.do(ctx, &request{p: p, control: control}, nil)
	n, err = c.received(res, err)
	return deliver(n, err, control, res, fds)
}

// TryReceiveFDs is ReceiveFDs that does not wait, as [Conn.TryReceive].
func (c *Conn) TryReceiveFDs(p []byte, fds []int) (n, nfds int, err error) {
	control := room(len(fds))
	res, err := c.in.try(&request{p: p, control: control}, nil)
	n, err = c.received(res, err)
	return deliver(n, err, control, res, fds)
}

// rights returns the control message that carries fds.
func rights(kind Kind, p []byte, fds []int) ([]byte, error) {
	switch {
	case len(fds) > MaxFDs:
		return nil, fmt.Errorf("%d descriptors, a message carries %d: %w", len(fds), MaxFDs, unix.EINVAL)
	case len(fds) > 0 && len(p) == 0 && kind == Stream:
		return nil, fmt.Errorf("descriptors on a stream without a byte: %w", unix.EINVAL)
	case len(fds) == 0:
		return nil, nil
	}
	return unix.UnixRights(fds...), nil
}

// room returns a buffer for the control messages of n descriptors, and credentials:
// those come first, if the socket asked for them, and would take the others' place.
func room(n int) []byte {
	return make([]byte, unix.CmsgSpace(unix.SizeofUcred)+unix.CmsgSpace(4*min(n, MaxFDs)))
}

// deliver puts the descriptors of a received message into fds, all of them or none.
// A buffer for one has room for two where the kernel aligns, so that more may have
// come than were asked for.
func deliver(n int, err error, control []byte, res result, fds []int) (int, int, error) {
	came, _ := parseControl(control[:res.came])
	lost := res.marks&unix.MSG_CTRUNC != 0 || len(came) > len(fds)
	if err == nil && !lost {
		return n, copy(fds, came), nil
	}
	for _, fd := range came {
		_ = unix.Close(fd) // nobody else has it
	}
	if err == nil {
		err = ErrControl
	}
	return n, 0, err
}

// parseControl returns the descriptors among control messages, and the credentials.
func parseControl(p []byte) (fds []int, cred *Cred) {
	for len(p) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(p)
		if err != nil {
			return fds, cred // the kernel wrote it
		}
		p = rest
		switch {
		case h.Level != unix.SOL_SOCKET:
		case h.Type == unix.SCM_RIGHTS:
			for ; len(data) >= 4; data = data[4:] {
				fds = append(fds, int(int32(binary.NativeEndian.Uint32(data))))
			}
		case h.Type == unix.SCM_PIDFD && len(data) >= 4:
			// Not asked for, but by whoever made a socket that came from FromFile.
			_ = unix.Close(int(int32(binary.NativeEndian.Uint32(data))))
		case h.Type == unix.SCM_CREDENTIALS && len(data) >= unix.SizeofUcred:
			cred = &Cred{
				PID: int(int32(binary.NativeEndian.Uint32(data))),
				UID: int(binary.NativeEndian.Uint32(data[4:])),
				GID: int(binary.NativeEndian.Uint32(data[8:])),
			}
		}
	}
	return fds, cred
}
