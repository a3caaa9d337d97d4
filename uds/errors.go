//go:build linux

package uds

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

var (
	// ErrFull is returned by the Try verbs when there is no room, or none beside what
	// others wait to send. Nothing was sent, but on a Stream what the call's count
	// says.
	ErrFull = errors.New("uds: no room in the peer's queue")

	// ErrEmpty is returned by the Try verbs when nothing is there to be received or
	// accepted.
	ErrEmpty = errors.New("uds: nothing has come")

	// ErrPeerClosed says that nobody can receive what is sent, or that the peer
	// closed with bytes of ours unread. It comes with EPIPE, ECONNRESET,
	// ECONNREFUSED or ENOTCONN, whichever the kernel gave.
	ErrPeerClosed = errors.New("uds: the peer has closed")

	// ErrControl says that descriptors came with a message and were not all
	// delivered. None was kept; the message itself was delivered.
	ErrControl = errors.New("uds: descriptors of the message were lost")
)

// TruncatedError reports a message that was longer than the buffer. The buffer has
// its beginning, and the rest is lost; messages that follow are not affected.
// [Conn.Size] tells the size beforehand. It matches [io.ErrShortBuffer].
type TruncatedError struct {
	Size   int // of the message, in bytes
	Buffer int // what there was room for, in bytes
}

// Error names both sizes.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("uds: message of %d bytes cut to a buffer of %d", e.Size, e.Buffer)
}

// Is reports whether target is io.ErrShortBuffer.
func (e *TruncatedError) Is(target error) bool { return target == io.ErrShortBuffer }

// closedByPeer reports whether e is one of the ways in which the kernel says that
// the peer is gone.
func closedByPeer(e unix.Errno) bool {
	switch e {
	case unix.EPIPE, unix.ECONNRESET, unix.ECONNREFUSED, unix.ENOTCONN:
		return true
	}
	return false
}
