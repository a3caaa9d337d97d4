//go:build linux

package uds

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

var errNoMessages = fmt.Errorf("a stream has no messages: %w", errors.ErrUnsupported)

// Socket is a socket for an event loop: a descriptor with the verbs that never wait.
// It belongs to one goroutine at a time, and owns its descriptor. The verbs do and
// return what those of [Conn] do, but that errors of the kernel are not dressed as
// net.OpErrors.
type Socket struct {
	fd      int
	kind    Kind
	in, out call
}

// SocketPair returns two connected sockets. See socketpair(2).
func SocketPair(kind Kind) (a, b *Socket, err error) {
	if err := kind.check(); err != nil {
		return nil, nil, fmt.Errorf("uds: pair: %w", err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("uds: %s pair: %w", kind, os.NewSyscallError("socketpair", err))
	}
	return &Socket{fd: fds[0], kind: kind}, &Socket{fd: fds[1], kind: kind}, nil
}

// NewSocket takes ownership of fd, which must be an AF_UNIX socket that does not
// listen. It becomes non-blocking, for all who share it, and close-on-exec. If there
// is an error, fd stays the caller's.
func NewSocket(fd int) (*Socket, error) {
	kind, err := kindOf(fd, false)
	if err != nil {
		return nil, fmt.Errorf("uds: descriptor %d: %w", fd, err)
	}
	return &Socket{fd: fd, kind: kind}, nil
}

// kindOf returns the kind of an AF_UNIX socket that listens, or does not, and makes
// it non-blocking and close-on-exec.
func kindOf(fd int, listens bool) (Kind, error) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	if domain != unix.AF_UNIX {
		return 0, fmt.Errorf("not an AF_UNIX socket, but of address family %d: %w", domain, unix.EAFNOSUPPORT)
	}
	accepts, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	switch {
	case err != nil:
		return 0, os.NewSyscallError("getsockopt", err)
	case accepts != 0 && !listens:
		return 0, fmt.Errorf("a socket that listens, and no connection: %w", unix.EINVAL)
	case accepts == 0 && listens:
		return 0, fmt.Errorf("a socket that does not listen: %w", unix.EINVAL)
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return 0, os.NewSyscallError("fcntl", err)
	}
	unix.CloseOnExec(fd)
	return Kind(kind), nil
}

// FD returns the descriptor, which stays the Socket's, or -1 after Close.
func (s *Socket) FD() int { return s.fd }

// Kind returns the kind of the socket.
func (s *Socket) Kind() Kind { return s.kind }

// Release hands the descriptor to the caller, who closes it. It returns -1 if the
// Socket is closed, and closes it for further calls.
func (s *Socket) Release() int {
	fd := s.fd
	s.fd = -1
	return fd
}

// Attach makes a Conn of the Socket, which is closed for further calls.
func (s *Socket) Attach() (*Conn, error) {
	if s.fd < 0 {
		return nil, fmt.Errorf("uds: attach: %w", net.ErrClosed)
	}
	return newConn(s.Release(), s.kind), nil
}

// Close closes the descriptor. A second Close returns net.ErrClosed.
func (s *Socket) Close() error {
	if s.fd < 0 {
		return fmt.Errorf("uds: close: %w", net.ErrClosed)
	}
	return os.NewSyscallError("close", unix.Close(s.Release()))
}

// TrySend sends p, as [Conn.TrySend].
func (s *Socket) TrySend(p []byte) (n int, err error) { return s.send(request{p: p}, nil) }

// TrySendv sends a message in parts, as [Conn.TrySendv].
func (s *Socket) TrySendv(bufs ...[]byte) (n int, err error) {
	return s.send(request{}, bufs)
}

// TrySendFDs sends p with descriptors, as [Conn.TrySendFDs].
func (s *Socket) TrySendFDs(p []byte, fds ...int) (n int, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	if err := checkFDs(s.kind, p, len(fds)); err != nil {
		return 0, fmt.Errorf("uds: send: %w", err)
	}
	return s.send(request{p: p, control: b.rights(fds)}, nil)
}

func (s *Socket) send(r request, parts [][]byte) (int, error) {
	if s.fd < 0 {
		return 0, fmt.Errorf("uds: send: %w", net.ErrClosed)
	}
	if empty(s.kind, r.p, parts) {
		return 0, nil
	}
	s.out.set(&r, parts)
	s.out.send(s.fd, s.kind)
	res := s.out.result
	s.out.drop()
	switch res.errno {
	case 0:
		return res.n, nil
	case unix.EAGAIN:
		return res.n, ErrFull
	}
	return res.n, fmt.Errorf("uds: send: %w", sendError(s.fd, s.kind, res))
}

// TryReceive receives into p, as [Conn.TryReceive].
func (s *Socket) TryReceive(p []byte) (n int, err error) {
	if s.kind == Stream && len(p) == 0 {
		return 0, nil
	}
	res, err := s.receive(request{p: p})
	return bare(res, err)
}

// TryReceiveFDs receives a message with descriptors, as [Conn.TryReceiveFDs].
func (s *Socket) TryReceiveFDs(p []byte, fds []int) (n, nfds int, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control := b.room(len(fds))
	res, err := s.receive(request{p: p, control: control})
	n, err = bare(res, err)
	return deliver(n, err, control, res, fds)
}

// TrySize returns the size of the next message, as [Conn.TrySize].
func (s *Socket) TrySize() (int, error) {
	if s.kind == Stream {
		return 0, fmt.Errorf("uds: size: %w", errNoMessages)
	}
	res, err := s.receive(request{flags: unix.MSG_PEEK})
	if err != nil || res.errno != 0 || res.end {
		return bare(res, err)
	}
	return res.n, nil
}

func (s *Socket) receive(r request) (result, error) {
	if s.fd < 0 {
		return result{}, net.ErrClosed
	}
	s.in.set(&r, nil)
	s.in.receive(s.fd, s.kind)
	res := s.in.result
	s.in.drop()
	return res, nil
}

// bare is outcome, with the package's name before errors that need it.
func bare(res result, err error) (int, error) {
	n, err := outcome(res, err)
	if err == nil || err == io.EOF || telling(err) {
		return n, err
	}
	return n, fmt.Errorf("uds: receive: %w", err)
}

// MaxMessage returns the size of the largest message, as [Conn.MaxMessage].
func (s *Socket) MaxMessage() (int, error) {
	if s.fd < 0 {
		return 0, fmt.Errorf("uds: %w", net.ErrClosed)
	}
	n, err := maxMessage(s.fd)
	if err != nil {
		return 0, fmt.Errorf("uds: %w", err)
	}
	return n, nil
}

// SetBuffers sets the buffers, as [Conn.SetBuffers].
func (s *Socket) SetBuffers(send, receive int) (b Buffers, err error) {
	if s.fd < 0 {
		return b, fmt.Errorf("uds: %w", net.ErrClosed)
	}
	b, err = setBuffers(s.fd, send, receive)
	if err != nil {
		return b, fmt.Errorf("uds: %w", err)
	}
	return b, nil
}
