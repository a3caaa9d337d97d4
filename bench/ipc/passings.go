//go:build linux

package ipc

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// passings are the ways in which descriptors go with a message, FDs of them.
func passings() map[string]opener {
	return map[string]opener{
		"sendmsg": openSendmsg,
		"sendfds": openSendFDs,
	}
}

// files returns n descriptors of a file to be passed.
func files(n int) ([]int, error) {
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	fds := make([]int, n)
	for i := range fds {
		fds[i] = fd
	}
	return fds, nil
}

// sendmsgEnd has bare system calls that block, whose arguments are made once.
type sendmsgEnd struct {
	fd, n   int    // n descriptors with each message
	fds     []byte // control messages
	out, in *message
	buf     []byte
}

func openSendmsg(_ context.Context, t Task, f *os.File) (end, error) {
	fds, err := files(t.FDs)
	if err != nil {
		return nil, err
	}
	e := &sendmsgEnd{fd: int(f.Fd()), n: t.FDs, fds: unix.UnixRights(fds...), buf: make([]byte, t.Size)}
	e.in = newMessage(e.buf, make([]byte, unix.CmsgSpace(4*t.FDs)))
	return e, unix.SetNonblock(e.fd, false)
}

func (e *sendmsgEnd) room(size int) []byte {
	p := make([]byte, size)
	e.out = newMessage(p, e.fds)
	return p
}

func (e *sendmsgEnd) send([]byte) error {
	for {
		_, err := sendmsg(e.fd, e.out)
		if err != unix.EINTR { //nolint:errorlint // a bare number
			return err
		}
	}
}

func (e *sendmsgEnd) flush() error { return nil }

func (e *sendmsgEnd) receive() ([]byte, error) {
	n, control, err := recvmsg(e.fd, e.in)
	for err == unix.EINTR { //nolint:errorlint // a bare number
		n, control, err = recvmsg(e.fd, e.in)
	}
	if err != nil {
		return nil, err
	}
	if len(control) != len(e.fds) {
		return nil, fmt.Errorf("ipc: %d bytes of control messages; want %d", len(control), len(e.fds))
	}
	for at := unix.CmsgLen(0); at < unix.CmsgLen(4*e.n); at += 4 {
		if err := unix.Close(int(binary.NativeEndian.Uint32(control[at:]))); err != nil {
			return nil, os.NewSyscallError("close", err)
		}
	}
	return e.buf[:n], nil
}

// sendFDsEnd has package uds.
type sendFDsEnd struct {
	ctx      context.Context
	conn     *uds.Conn
	fds, got []int
	buf      []byte
}

func openSendFDs(ctx context.Context, t Task, f *os.File) (end, error) {
	fds, err := files(t.FDs)
	if err != nil {
		return nil, err
	}
	c, err := uds.FromFile(f)
	if err != nil {
		return nil, err
	}
	return &sendFDsEnd{ctx, c, fds, make([]int, t.FDs), make([]byte, t.Size)}, nil
}

func (e *sendFDsEnd) room(size int) []byte { return make([]byte, size) }

func (e *sendFDsEnd) send(p []byte) error {
	_, err := e.conn.SendFDs(e.ctx, p, e.fds...)
	return err
}

func (e *sendFDsEnd) flush() error { return nil }

func (e *sendFDsEnd) receive() ([]byte, error) {
	n, nfds, err := e.conn.ReceiveFDs(e.ctx, e.buf, e.got)
	if err != nil {
		return nil, err
	}
	if nfds != len(e.fds) {
		return nil, fmt.Errorf("ipc: %d descriptors; want %d", nfds, len(e.fds))
	}
	for _, fd := range e.got {
		if err := unix.Close(fd); err != nil {
			return nil, os.NewSyscallError("close", err)
		}
	}
	return e.buf[:n], nil
}
