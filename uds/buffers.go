//go:build linux

package uds

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Buffers are the sizes of a socket's buffers as the kernel counts, in bytes.
type Buffers struct {
	// Send is what the messages that this end sent, and that are not received, may
	// take. A small message takes 768 bytes, and a large one up to twice its size.
	Send int
	// Receive has no meaning for the kinds here, but programs ask for it.
	Receive int
}

// overhead is what of the send buffer a message cannot use.
const overhead = 32 // bytes

// Buffers returns the sizes of the buffers.
func (c *Conn) Buffers() (b Buffers, err error) { return c.SetBuffers(0, 0) }

// SetBuffers asks for buffers of these sizes, in bytes, where they are not 0, and
// returns what the kernel granted. It doubles what was asked, after a cut to
// net.core.wmem_max or rmem_max, and says nothing. See socket(7), SO_SNDBUF.
func (c *Conn) SetBuffers(send, receive int) (b Buffers, err error) {
	err = c.withFD(func(fd int) error {
		b, err = setBuffers(fd, send, receive)
		return err
	})
	return b, c.wrap("set", err)
}

// MaxMessage returns the size of the largest message that can be sent on the kinds
// that keep boundaries, in bytes: 32 less than the send buffer. The kernel has
// another limit somewhere above 4 MiB, and needs contiguous memory for messages
// above some 64 KiB: one within the limit may fail with EMSGSIZE, too.
func (c *Conn) MaxMessage() (n int, err error) {
	err = c.withFD(func(fd int) error {
		n, err = maxMessage(fd)
		return err
	})
	return n, c.wrap("get", err)
}

func setBuffers(fd, send, receive int) (b Buffers, err error) {
	if send < 0 || receive < 0 {
		return b, fmt.Errorf("buffers of %d and %d bytes: %w", send, receive, unix.EINVAL)
	}
	for _, o := range []struct {
		option, size int
		granted      *int
	}{{unix.SO_SNDBUF, send, &b.Send}, {unix.SO_RCVBUF, receive, &b.Receive}} {
		if o.size != 0 {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.option, o.size); err != nil {
				return b, os.NewSyscallError("setsockopt", err)
			}
		}
		if *o.granted, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, o.option); err != nil {
			return b, os.NewSyscallError("getsockopt", err)
		}
	}
	return b, nil
}

func maxMessage(fd int) (int, error) {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	return n - overhead, nil
}
