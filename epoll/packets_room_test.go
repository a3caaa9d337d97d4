//go:build linux

package epoll

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A device that has no room, or a kernel that has no memory, is as good as a full
// socket: nothing is sent, and the message can be tried again.
func TestPacketConnWithoutBuffers(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		setClock(l) // so that no round waits
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(fds[1]) }()
		room := 0
		c, err := l.Packets(fds[0], &PacketHandler{Room: func(*PacketConn) { room++ }})
		if err != nil {
			t.Fatal(err)
		}
		send := l.kernel.sendTo
		l.kernel.sendTo = func(int, []byte, unix.Sockaddr) unix.Errno { return unix.ENOBUFS }
		if err := c.Send([]byte("message"), nil); err != ErrFull {
			t.Errorf("Send = %v, want ErrFull", err)
		}
		l.kernel.sendTo = send
		if err := l.round(); err != nil {
			t.Fatalf("round: %v", err)
		}
		if room != 1 {
			t.Errorf("Room was called %d times, want 1", room)
		}
		if err := c.Send([]byte("message"), nil); err != nil {
			t.Errorf("Send = %v, want nil", err)
		}
	})
}
