//go:build linux

package uds

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ListenOptions say how a socket gets its name. Nil is the zero ListenOptions.
type ListenOptions struct {
	// Mode has the permissions of the socket file, whatever the umask; zero is 0600.
	// Whoever connects or sends needs to write.
	Mode fs.FileMode

	// Owner is whose the file is; nil leaves it to the process. See chown(2) for who
	// may change that.
	Owner *Owner

	// Dir makes the directory of the file, if there is none, with these permissions
	// and Owner. Zero leaves that to the caller.
	Dir fs.FileMode

	// Backlog is the number of connections that can wait to be accepted; the kernel
	// takes one more. Zero is the most that the system allows, net.core.somaxconn.
	Backlog int
}

// Owner is a user and a group; -1 leaves one as it is.
type Owner struct{ UID, GID int }

// Listener accepts connections on a Stream or SeqPacket socket. A *Listener is a
// net.Listener.
type Listener struct {
	kind   Kind
	name   string
	fd     *os.File
	raw    syscall.RawConn
	file   *socketFile // that this Listener made, or nil
	accept direction
	gone   chan struct{}
	ended  sync.Once
}

var _ net.Listener = (*Listener)(nil)

// Listen listens on name. The kind is Stream or SeqPacket; see [ListenDatagram].
//
// A socket file has its permissions and owner before anybody can connect. If there
// is a file already, it is replaced if it is a socket that no process has any more;
// otherwise the error matches EADDRINUSE, and nothing has changed, and neither has
// the server that listens there noticed. Of several that start at once one succeeds.
// They agree by a file beside it, with ".uds-lock" after its name, which is removed
// again.
func Listen(kind Kind, name string, o *ListenOptions) (*Listener, error) {
	if kind == Datagram {
		return nil, fail("listen", kind, name, fmt.Errorf("a datagram socket accepts nothing: use ListenDatagram: %w", unix.EOPNOTSUPP))
	}
	fd, file, err := bound(kind, name, o)
	if err != nil {
		return nil, fail("listen", kind, name, err)
	}
	backlog := 0
	if o != nil {
		backlog = o.Backlog
	}
	if backlog == 0 {
		backlog = 1<<31 - 1 // the kernel cuts it to somaxconn
	}
	if err := unix.Listen(fd, backlog); err != nil {
		err = errors.Join(os.NewSyscallError("listen", err), file.remove(), unix.Close(fd))
		return nil, fail("listen", kind, name, err)
	}
	return newListener(fd, kind, name, file), nil
}

// FileListener returns a Listener with a duplicate of f's descriptor, which stays the
// caller's. It becomes non-blocking, for all who share it. Close does not remove the
// socket file, which is another's.
func FileListener(f *os.File) (*Listener, error) {
	fd, err := Duplicate(f)
	if err != nil {
		return nil, err
	}
	kind, err := kindOf(fd, true)
	if err != nil {
		_ = unix.Close(fd) // a duplicate
		return nil, fmt.Errorf("uds: listener from %s: %w", f.Name(), err)
	}
	return newListener(fd, kind, nameOf(unix.SYS_GETSOCKNAME, fd), nil), nil
}

func newListener(fd int, kind Kind, name string, file *socketFile) *Listener {
	l := &Listener{kind: kind, name: name, file: file, gone: make(chan struct{})}
	l.fd = os.NewFile(uintptr(fd), "listener")
	l.raw, _ = l.fd.SyscallConn() // fails on a nil file only
	l.accept.init(kind, (*call).accept, l.raw.Control, l.raw.Read, l.fd.SetReadDeadline, l.gone)
	return l
}

// AcceptConn waits for a connection. It ends with ctx, or by the deadline.
func (l *Listener) AcceptConn(ctx context.Context) (*Conn, error) {
	return l.accepted(l.accept.do(ctx, &request{}, nil))
}

// TryAccept returns a connection that has come, or [ErrEmpty].
func (l *Listener) TryAccept() (*Conn, error) {
	return l.accepted(l.accept.try(&request{}, nil))
}

// Accept is AcceptConn by the deadline alone; the net.Conn is a *[Conn].
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptConn(context.Background())
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (l *Listener) accepted(res result, err error) (*Conn, error) {
	switch {
	case err == nil && res.errno == 0:
		return newConn(res.n, l.kind), nil
	case err == nil && res.errno == unix.EAGAIN:
		return nil, ErrEmpty
	case err == nil:
		err = os.NewSyscallError("accept4", res.errno)
	}
	return nil, fail("accept", l.kind, l.name, err)
}

// Addr returns the name, a *net.UnixAddr.
func (l *Listener) Addr() net.Addr { return addr(l.kind, l.name) }

// SetDeadline sets the time at which Accept and AcceptConn end; the zero time is
// none.
func (l *Listener) SetDeadline(t time.Time) error {
	if err := l.accept.watch.setDeadline(t); err != nil {
		return fail("set", l.kind, l.name, err)
	}
	return nil
}

// SyscallConn gives access to the descriptor. See syscall.Conn.
func (l *Listener) SyscallConn() (syscall.RawConn, error) { return l.raw, nil }

// Detach hands out the descriptor, which is the caller's, for an event loop. The
// Listener keeps the socket file, and removes it at Close; it accepts nothing more.
func (l *Listener) Detach() (fd int, err error) {
	if fd, err = Duplicate(l); err != nil {
		return -1, fail("detach", l.kind, l.name, err)
	}
	if l.fd.Close() != nil {
		_ = unix.Close(fd) // somebody closed l meanwhile
		return -1, fail("detach", l.kind, l.name, net.ErrClosed)
	}
	l.accept.watch.close()
	return fd, nil
}

// Close removes the socket file, if the Listener made it and it is still this one,
// and ends all calls that wait with net.ErrClosed. A second Close returns
// net.ErrClosed.
func (l *Listener) Close() error {
	err := net.ErrClosed
	l.ended.Do(func() {
		close(l.gone)
		l.accept.watch.close()
		err = l.file.remove()
		if e := l.fd.Close(); !errors.Is(e, os.ErrClosed) { // detached
			err = errors.Join(err, e)
		}
	})
	if err != nil {
		return fail("close", l.kind, l.name, err)
	}
	return nil
}

// fail names the operation and the socket.
func fail(op string, kind Kind, name string, err error) error {
	return &net.OpError{Op: op, Net: kind.network(), Addr: addr(kind, name), Err: err}
}
