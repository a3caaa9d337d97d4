//go:build linux

package uds

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is a socket for goroutines: what waits, waits in the runtime's poller. It is
// made by Pair, Dial, ListenDatagram, FromFile, a Listener, or [Socket.Attach]. A
// *Conn is a net.Conn, also of the kinds that keep boundaries.
//
// Errors other than [io.EOF], [ErrFull], [ErrEmpty], *[TruncatedError] and
// [ErrControl] are *[net.OpError]s that name the operation and the socket. They
// match [net.ErrClosed] after Close, [os.ErrDeadlineExceeded], the cause of the
// context, [ErrPeerClosed], or the errno of a system call.
type Conn struct {
	kind    Kind
	file    *os.File
	raw     syscall.RawConn
	in, out direction
	own     *socketFile // that this end made, or nil
	gone    chan struct{}
	ended   sync.Once

	names         sync.Once
	local, remote net.Addr
}

var _ net.Conn = (*Conn)(nil)

// Pair returns two connected sockets. What is sent by one is received by the other.
// See socketpair(2).
func Pair(kind Kind) (a, b *Conn, err error) {
	sa, sb, err := SocketPair(kind)
	if err != nil {
		return nil, nil, err
	}
	if a, err = sa.Attach(); err == nil {
		if b, err = sb.Attach(); err == nil {
			return a, b, nil
		}
		_ = a.Close() // useless alone
	}
	return nil, nil, errors.Join(err, sb.Close())
}

// FromFile returns a Conn with a duplicate of f's descriptor: f stays the caller's,
// to be closed. The descriptor must be an AF_UNIX socket that does not listen; it
// becomes non-blocking, for all who share it. FromFile is for what a process
// inherited, or was sent.
func FromFile(f *os.File) (*Conn, error) {
	fd, err := Duplicate(f)
	if err != nil {
		return nil, err
	}
	kind, err := kindOf(fd, false)
	if err != nil {
		_ = unix.Close(fd) // a duplicate
		return nil, fmt.Errorf("uds: conn from %s: %w", f.Name(), err)
	}
	return newConn(fd, kind), nil
}

// Duplicate returns a new descriptor for what c has, close-on-exec, which is the
// caller's. Unlike the methods File and Fd of packages net and os, it leaves c's
// file non-blocking.
func Duplicate(c syscall.Conn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("uds: duplicate: %w", err)
	}
	fd := -1
	var failed error
	err = raw.Control(func(from uintptr) {
		fd, failed = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil {
		return -1, fmt.Errorf("uds: duplicate: %w", net.ErrClosed)
	}
	if failed != nil {
		return -1, fmt.Errorf("uds: duplicate: %w", os.NewSyscallError("fcntl", failed))
	}
	return fd, nil
}

// newConn makes a Conn that owns fd, a non-blocking socket.
func newConn(fd int, kind Kind) *Conn {
	c := &Conn{kind: kind, file: os.NewFile(uintptr(fd), "socket"), gone: make(chan struct{})}
	c.raw, _ = c.file.SyscallConn() // fails on a nil file only
	c.in.init(kind, (*call).receive, c.raw.Control, c.raw.Read, c.file.SetReadDeadline, c.gone)
	c.out.init(kind, (*call).send, c.raw.Control, c.raw.Write, c.file.SetWriteDeadline, c.gone)
	c.out.fair = true
	return c
}

// Kind returns the kind of the socket.
func (c *Conn) Kind() Kind { return c.kind }

// Close closes the socket, and ends all calls that wait with net.ErrClosed. A socket
// file that [ListenDatagram] made is removed, if it is still this one. A second Close
// returns net.ErrClosed.
func (c *Conn) Close() error { return c.wrap("close", c.end((*socketFile).remove)) }

// end closes the descriptor, once, and does with the socket file what is said.
func (c *Conn) end(file func(*socketFile) error) error {
	err := net.ErrClosed
	c.ended.Do(func() {
		c.resolve()
		close(c.gone)
		c.in.watch.close()
		c.out.watch.close()
		err = errors.Join(file(c.own), c.file.Close())
	})
	return err
}

// CloseWrite tells the peer that nothing will follow: it receives what there is, and
// then io.EOF. On a Datagram it only ends sending. See shutdown(2), SHUT_WR.
func (c *Conn) CloseWrite() error {
	err := c.shutdown(unix.SHUT_WR)
	c.out.watch.poke() // who waits for room is not told
	return err
}

// CloseRead ends receiving: there is io.EOF behind what has come, but on a Datagram,
// where Receive goes on to wait, and poll(2) says that there is something. The peer
// can send no more; if it waits for room, the kernel does not tell it. See
// shutdown(2), SHUT_RD.
func (c *Conn) CloseRead() error { return c.shutdown(unix.SHUT_RD) }

func (c *Conn) shutdown(how int) error {
	return c.wrap("shutdown", c.withFD(func(fd int) error {
		return os.NewSyscallError("shutdown", unix.Shutdown(fd, how))
	}))
}

// Detach takes the descriptor out of the runtime's poller, for an event loop, and
// closes c without closing the connection. Calls that wait end with net.ErrClosed. A
// socket file that c made is no longer removed.
func (c *Conn) Detach() (*Socket, error) {
	fd, err := Duplicate(c)
	if err != nil {
		return nil, c.wrap("detach", err)
	}
	if err := c.end((*socketFile).forget); err != nil {
		_ = unix.Close(fd) // somebody closed c meanwhile
		return nil, c.wrap("detach", err)
	}
	return &Socket{fd: fd, kind: c.kind}, nil
}

// File returns a duplicate of the descriptor, for a child process. Unlike the
// methods of that name in package net, it changes nothing for c. The file is the
// caller's, and c stays open.
func (c *Conn) File() (*os.File, error) {
	fd, err := Duplicate(c)
	if err != nil {
		return nil, c.wrap("file", err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

// SyscallConn gives access to the descriptor. See syscall.Conn.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

// SetDeadline sets both deadlines. A call that waits, or starts, after its deadline
// fails with os.ErrDeadlineExceeded; the zero time is none.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline of receiving.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.wrap("set", c.in.watch.setDeadline(t))
}

// SetWriteDeadline sets the deadline of sending.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.wrap("set", c.out.watch.setDeadline(t))
}

// LocalAddr returns the name of this end, a *net.UnixAddr, which is empty for most.
func (c *Conn) LocalAddr() net.Addr {
	c.resolve()
	return c.local
}

// RemoteAddr returns the name of the peer, which is empty for clients and pairs.
func (c *Conn) RemoteAddr() net.Addr {
	c.resolve()
	return c.remote
}

// resolve asks for both names, once.
func (c *Conn) resolve() {
	c.names.Do(func() {
		c.local, c.remote = addr(c.kind, ""), addr(c.kind, "")
		_ = c.raw.Control(func(fd uintptr) { // closed: no names
			c.local = addr(c.kind, nameOf(unix.SYS_GETSOCKNAME, int(fd)))
			c.remote = addr(c.kind, nameOf(unix.SYS_GETPEERNAME, int(fd)))
		})
	})
}

// nameOf returns the name of one end of fd, "" if it has none.
func nameOf(trap uintptr, fd int) string {
	var a address
	if rawName(trap, fd, &a) != 0 {
		return ""
	}
	return a.name()
}

// withFD calls f with the descriptor, which stays open meanwhile.
func (c *Conn) withFD(f func(fd int) error) error {
	var err error
	if c.raw.Control(func(fd uintptr) { err = f(int(fd)) }) != nil {
		return net.ErrClosed
	}
	return err
}

// wrap names the operation and the socket.
func (c *Conn) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	c.resolve()
	return &net.OpError{Op: op, Net: c.kind.network(), Source: c.local, Addr: c.remote, Err: err}
}
