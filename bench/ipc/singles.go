//go:build linux

package ipc

import (
	"context"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// singles are the ways in which a message is a system call.
func singles() map[string]opener {
	return map[string]opener{
		"raw":        raw(unix.Write, unix.Read),
		"rawsyscall": raw(write, read),
		"net":        openNet,
		"uds":        openUDS,
	}
}

// A single has a call for each message, and for a Stream as many as it takes.
type single struct {
	out, in func(p []byte) (int, error)
	stream  bool
	buf     []byte
}

func newSingle(t Task, out, in func(p []byte) (int, error)) *single {
	return &single{out, in, t.Kind == "stream", make([]byte, t.Size)}
}

func (s *single) room(size int) []byte { return make([]byte, size) }

func (s *single) flush() error { return nil }

func (s *single) send(p []byte) error {
	for len(p) > 0 {
		n, err := s.out(p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func (s *single) receive() ([]byte, error) {
	n, err := s.in(s.buf)
	for s.stream && err == nil && n < len(s.buf) {
		var more int
		more, err = s.in(s.buf[n:])
		if more == 0 && err == nil {
			err = io.ErrUnexpectedEOF
		}
		n += more
	}
	return s.buf[:n], err
}

// raw makes bare system calls that block.
func raw(write, read func(fd int, p []byte) (int, error)) opener {
	again := func(fd int, call func(fd int, p []byte) (int, error)) func(p []byte) (int, error) {
		return func(p []byte) (int, error) {
			for {
				n, err := call(fd, p)
				if err != unix.EINTR { //nolint:errorlint // a bare number
					return n, err
				}
			}
		}
	}
	return func(_ context.Context, t Task, f *os.File) (end, error) {
		fd := int(f.Fd()) // which makes it blocking
		if err := unix.SetNonblock(fd, false); err != nil {
			return nil, err
		}
		return newSingle(t, again(fd, write), again(fd, read)), nil
	}
}

func openNet(_ context.Context, t Task, f *os.File) (end, error) {
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return newSingle(t, c.Write, c.Read), nil
}

func openUDS(ctx context.Context, t Task, f *os.File) (end, error) {
	c, err := conn(t, f)
	if err != nil {
		return nil, err
	}
	out := func(p []byte) (int, error) { return c.Send(ctx, p) }
	in := func(p []byte) (int, error) { return c.Receive(ctx, p) }
	return newSingle(t, out, in), nil
}

// conn returns a Conn with the buffer that t wants.
func conn(t Task, f *os.File) (*uds.Conn, error) {
	c, err := uds.FromFile(f)
	if err != nil {
		return nil, err
	}
	_, err = c.SetBuffers(t.Buffer, 0)
	return c, err
}
