//go:build linux

package uds

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// TrySendTo sends p to the socket of that name, as [Conn.TrySendTo].
func (s *Socket) TrySendTo(p []byte, name string) (n int, err error) {
	to, err := destination(s.kind, name)
	if err != nil {
		return 0, fmt.Errorf("uds: send to %s: %w", name, err)
	}
	return s.send(request{p: p, name: to}, nil)
}

// TryReceiveFrom receives into p, as [Conn.TryReceiveFrom].
func (s *Socket) TryReceiveFrom(p []byte) (n int, from string, err error) {
	var a address
	res, err := s.receive(request{p: p, name: &a})
	n, err = bare(res, err)
	return n, a.name(), err
}

// PassCred asks for credentials, as [Conn.PassCred].
func (s *Socket) PassCred() error {
	if s.fd < 0 {
		return fmt.Errorf("uds: %w", net.ErrClosed)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return fmt.Errorf("uds: %w", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// TryReceiveCred receives a message and who sent it, as [Conn.TryReceiveCred].
func (s *Socket) TryReceiveCred(p []byte) (n int, from Cred, err error) {
	b := controls.Get().(*controlBuffer)
	defer controls.Put(b)
	control := b.room(0)
	res, err := s.receive(request{p: p, control: control})
	n, err = bare(res, err)
	from, told := sender(err, control, res)
	if err == nil && !told {
		err = fmt.Errorf("uds: receive: %w", errNoCred)
	}
	return n, from, err
}
