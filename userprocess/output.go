//go:build linux

package userprocess

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// An Output reads what a child prints. At the end of the child it is io.EOF, behind
// what there is by then, also if a process that it has forked still can write.
type Output struct {
	f     *os.File
	ended atomic.Bool // the child
}

// Read reads up to len(p) bytes, and waits for the first. Errors are io.EOF,
// os.ErrDeadlineExceeded, os.ErrClosed, or those of read(2).
func (o *Output) Read(p []byte) (n int, err error) {
	n, err = o.f.Read(p)
	if o.ended.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		return o.rest(p)
	}
	return n, err
}

// rest reads what there is, without waiting: the poller does not read after its
// deadline.
func (o *Output) rest(p []byte) (n int, err error) {
	raw, err := o.f.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(fd uintptr) {
		n, err = unix.Read(int(fd), p)
		for errors.Is(err, unix.EINTR) {
			n, err = unix.Read(int(fd), p)
		}
	})
	switch {
	case controlErr != nil:
		return 0, controlErr
	case errors.Is(err, unix.EAGAIN), err == nil && n == 0 && len(p) > 0:
		return 0, io.EOF
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	}
	return n, nil
}

// SetReadDeadline sets when a Read that waits fails with os.ErrDeadlineExceeded; the
// zero time is never. After the child's end no Read waits.
func (o *Output) SetReadDeadline(t time.Time) error {
	err := o.f.SetReadDeadline(t)
	if o.ended.Load() {
		_ = o.f.SetReadDeadline(time.Unix(1, 0)) // as hangUp does
	}
	return err
}

// Close closes the pipe. A child that goes on to write gets SIGPIPE. A second Close
// returns os.ErrClosed.
func (o *Output) Close() error { return o.f.Close() }

// hangUp ends the Read that waits. There may be no Output.
func (o *Output) hangUp() {
	if o == nil {
		return
	}
	o.ended.Store(true)
	_ = o.f.SetReadDeadline(time.Unix(1, 0)) // or it is closed
}
