//go:build linux

package uds

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// How long Dial waits between tries while a listener's backlog is full, and SendTo
// while a queue is: the kernel does not tell when there is room.
const (
	dialPauseMin = time.Millisecond
	dialPauseMax = 50 * time.Millisecond
	sendPauseMin = 100 * time.Microsecond
	sendPauseMax = 10 * time.Millisecond
)

// retry waits between tries, each time twice as long, from min to max.
type retry struct{ min, max time.Duration }

// pause waits for the next try, for the end of ctx, or until gone is closed.
func (r *retry) pause(ctx context.Context, gone <-chan struct{}) {
	timer := time.NewTimer(r.min)
	defer timer.Stop()
	r.min = min(2*r.min, r.max)
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-gone:
	}
}

// Dial connects to the socket of that name. While the listener's backlog is full it
// tries again, until ctx ends. ECONNREFUSED says that nobody listens there any more,
// ENOENT that there is no such file, EACCES that it may not be written, and
// EPROTOTYPE that the socket is of another kind.
//
// A Datagram is connected to the name: it sends to that socket, which cannot answer
// it, for it has no name. See [ListenDatagram].
func Dial(ctx context.Context, kind Kind, name string) (*Conn, error) {
	a, err := parse(name)
	if err == nil {
		err = kind.check()
	}
	if err != nil {
		return nil, fail("dial", kind, name, err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fail("dial", kind, name, os.NewSyscallError("socket", err))
	}
	if err := connect(ctx, fd, a); err != nil {
		_ = unix.Close(fd) // nothing is connected to it
		return nil, fail("dial", kind, name, err)
	}
	c := newConn(fd, kind)
	if kind == Datagram {
		c.resolve() // the kernel forgets the peer that has closed
	}
	return c, nil
}

func connect(ctx context.Context, fd int, a *address) error {
	for again := (retry{min: dialPauseMin, max: dialPauseMax}); ; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch e := rawConnect(fd, a); e {
		case 0:
			return nil
		case unix.EINTR:
		case unix.EAGAIN:
			again.pause(ctx, nil)
		default:
			return os.NewSyscallError("connect", e)
		}
	}
}

// ListenDatagram returns a Datagram with a name, that receives what anybody sends to
// it, and answers with [Conn.SendTo] to those that have names themselves. Names,
// files and options are as for [Listen]; Close removes the file.
//
// The queue of such a socket has room for net.unix.max_dgram_qlen + 1 messages of all
// senders together (11 on many systems), whatever their size. A pair has no such
// bound.
func ListenDatagram(name string, o *ListenOptions) (*Conn, error) {
	fd, file, err := bound(Datagram, name, o)
	if err != nil {
		return nil, fail("listen", Datagram, name, err)
	}
	c := newConn(fd, Datagram)
	c.own = file
	return c, nil
}
