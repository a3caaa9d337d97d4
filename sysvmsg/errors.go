//go:build linux

package sysvmsg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

var (
	// ErrFull is returned by TrySend, as it is, when the queue has no room. Nothing
	// was sent.
	ErrFull = errors.New("sysvmsg: no room in the queue")

	// ErrEmpty is returned by TryReceive, Discard and Peek, as it is, when there is no
	// such message.
	ErrEmpty = errors.New("sysvmsg: no such message in the queue")

	// ErrRemoved says that the queue does not exist any more. It comes with EIDRM if
	// the queue was removed while the call waited, otherwise with EINVAL.
	ErrRemoved = errors.New("the queue does not exist")

	// ErrTooLarge says that a message can never be sent: it is longer than
	// kernel.msgmax allows, or than the capacity of the queue. Nothing was sent.
	ErrTooLarge = errors.New("message too large")
)

// ShortBufferError reports a message that is longer than the buffer. It stays in
// the queue, and will be met again: receive it with a larger buffer, [Limits].Message
// bytes at most, or get rid of it by [Queue.Discard]. It matches [io.ErrShortBuffer].
type ShortBufferError struct {
	Size   int // of the message, in bytes; 0: not known
	Buffer int // what there was room for, in bytes
}

// Error names the sizes.
func (e *ShortBufferError) Error() string {
	if e.Size == 0 {
		return fmt.Sprintf("message larger than the buffer of %d bytes", e.Buffer)
	}
	return fmt.Sprintf("message of %d bytes, the buffer has %d", e.Size, e.Buffer)
}

// Is reports whether target is io.ErrShortBuffer.
func (e *ShortBufferError) Is(target error) bool { return target == io.ErrShortBuffer }

// wrap says what was done to q. It returns nil for nil.
func (q *Queue) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sysvmsg: %s %s: %w", op, q, err)
}

// failed explains the error of a system call on q, and says what was done to it.
func (q *Queue) failed(op, call string, e unix.Errno) error { return q.wrap(op, q.explain(call, e)) }

// explain returns the error of a system call on q, nil for 0.
func (q *Queue) explain(call string, e unix.Errno) error {
	if e == 0 {
		return nil
	}
	err := os.NewSyscallError(call, e)
	if e == unix.EIDRM || e == unix.EINVAL && q.removed() {
		return fmt.Errorf("%w: %w", ErrRemoved, err)
	}
	return err
}

// ended returns why ctx ended: its cause, which matches ctx.Err() as well.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
