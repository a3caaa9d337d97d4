//go:build linux

package uds

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Cred tells who a process is.
type Cred struct {
	PID int // as seen in the receiver's PID namespace, 0 if it is not there
	UID int // effective
	GID int // effective
}

// PeerCred returns who made the peer's end: of a connection the process that dialed
// or listened, and of a pair the process that called Pair, whoever has the end now.
// It says nothing about who sends; [Conn.ReceiveCred] does. A Datagram that is not of
// a pair has none, which is ENOTCONN. See unix(7), SO_PEERCRED.
func (c *Conn) PeerCred() (Cred, error) {
	var cred Cred
	err := c.withFD(func(fd int) error {
		u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return os.NewSyscallError("getsockopt", err)
		}
		if u.Pid == 0 && u.Uid == ^uint32(0) {
			return fmt.Errorf("no credentials: %w", unix.ENOTCONN)
		}
		cred = Cred{PID: int(u.Pid), UID: int(u.Uid), GID: int(u.Gid)}
		return nil
	})
	return cred, c.wrap("peer", err)
}

// PeerPIDFD returns a descriptor of the process that PeerCred names, which stays
// that process's when the number is given to another; see pidfd_open(2). It is the
// caller's, and close-on-exec. Before Linux 6.5 it fails with
// errors.ErrUnsupported; ESRCH says that the process has been reaped, on kernels
// that do not keep the descriptor, and ENOTCONN that there is none, as for PeerCred.
func (c *Conn) PeerPIDFD() (int, error) {
	pidfd := -1
	err := c.withFD(func(fd int) error {
		var err error
		pidfd, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
		switch {
		case errors.Is(err, unix.ENOPROTOOPT):
			return fmt.Errorf("SO_PEERPIDFD: %w", errors.ErrUnsupported)
		case errors.Is(err, unix.ENODATA):
			return fmt.Errorf("no process: %w", unix.ENOTCONN)
		case errors.Is(err, unix.EINVAL): // from Linux 6.5 on, until that was mended
			err = unix.ESRCH
		}
		return os.NewSyscallError("getsockopt", err)
	})
	if err != nil {
		return -1, c.wrap("peer", err)
	}
	return pidfd, nil
}

// PassCred asks the kernel to tell the sender's credentials with every message from
// now on, for [Conn.ReceiveCred]. A Datagram without a name gets an abstract one when
// it sends after that. See unix(7), SO_PASSCRED.
func (c *Conn) PassCred() error {
	return c.wrap("set", c.withFD(func(fd int) error {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1))
	}))
}

// ReceiveCred receives a message, as [Conn.Receive], and returns who sent it: the
// process at the time, as the kernel saw it, whoever made the socket. A message that
// was sent before [Conn.PassCred] has PID 0 and the overflow user, 65534. Without
// PassCred it fails with ENODATA, and n bytes have been received.
func (c *Conn) ReceiveCred(ctx context.Context, p []byte) (n int, from Cred, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control := b.room(0)
	res, err := c.in.do(ctx, &request{p: p, control: control}, nil)
	n, err = c.received(res, err)
	from, told := sender(err, control, res)
	return n, from, c.credError(err, told)
}

// TryReceiveCred is ReceiveCred that does not wait, as [Conn.TryReceive].
func (c *Conn) TryReceiveCred(p []byte) (n int, from Cred, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control := b.room(0)
	res, err := c.in.try(&request{p: p, control: control}, nil)
	n, err = c.received(res, err)
	from, told := sender(err, control, res)
	return n, from, c.credError(err, told)
}

// credError is what a receive returns that came out with err, and with credentials or
// without.
func (c *Conn) credError(err error, told bool) error {
	if err != nil || told {
		return err
	}
	return c.wrap("receive", errNoCred)
}

var errNoCred = fmt.Errorf("no credentials came: %w", unix.ENODATA)

// sender returns the credentials of a message that was received without an error, if
// there are some, and closes descriptors, which nobody asked for.
func sender(err error, control []byte, res result) (Cred, bool) {
	fds, cred, told := parseControl(nil, control[:res.came])
	for _, fd := range fds {
		_ = unix.Close(fd) // nobody else has it
	}
	if err != nil {
		return Cred{}, false
	}
	return cred, told
}
