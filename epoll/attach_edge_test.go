//go:build linux

package epoll

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// acquisitions are the ways to have a Loop watch a descriptor.
func acquisitions(l *Loop) map[string]func(fd int) error {
	return map[string]func(fd int) error{
		"Attach":  func(fd int) error { _, err := l.Attach(fd, new(Handler)); return err },
		"Listen":  func(fd int) error { _, err := l.Listen(fd, new(Handler), nil); return err },
		"Packets": func(fd int) error { _, err := l.Packets(fd, new(PacketHandler)); return err },
		"Add":     func(fd int) error { _, err := l.Add(fd, Readable, func(Events) {}); return err },
	}
}

// wantOwned wants every way to get at fd refused.
func wantOwned(tb testing.TB, l *Loop, fd int) {
	tb.Helper()
	before := l.Pins()
	for name, acquire := range acquisitions(l) {
		if err := acquire(fd); !errors.Is(err, unix.EEXIST) {
			tb.Errorf("%s of a descriptor that is owned = %v, want %v", name, err, unix.EEXIST)
		}
	}
	if after := l.Pins(); after != before || l.Len() != after.Conns {
		tb.Errorf("Pins() = %+v, Len() = %d; want %+v as before", after, l.Len(), before)
	}
}

// A descriptor that is a Conn's cannot be another one's as well: two would close it.
// That holds though nothing is watched, before the Loop has begun or while reading
// is paused.
func TestDescriptorOfAConnIsTaken(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(fds[1]) }()
		c, err := l.Attach(fds[0], &Handler{Data: echoes})
		if err != nil {
			t.Fatal(err)
		}
		wantOwned(t, l, fds[0])
		c.Pause()
		l.tidy()
		wantOwned(t, l, fds[0])
		c.Resume()
		l.tidy()
		wantOwned(t, l, fds[0])
		reply := make([]byte, 10)
		if n := ask(t, l, fds[1], []byte("hello"), reply); string(reply[:n]) != "hello" {
			t.Errorf("the reply is %q, want %q", reply[:n], "hello")
		}
		if fd, _, err := c.Detach(); fd != fds[0] || err != nil {
			t.Errorf("Detach = %d, %v; want %d, nil", fd, err, fds[0])
		}
		if _, err := l.Attach(fds[0], new(Handler)); err != nil {
			t.Errorf("Attach of what was detached = %v, want nil", err)
		}
	})
}

// So it is with that of a Listener, also while it does not accept.
func TestDescriptorOfAListenerIsTaken(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		setClock(l) // so that no round waits
		if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{}), unix.Listen(fd, 10)); err != nil {
			t.Fatal(err)
		}
		address, err := unix.Getsockname(fd)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Listen(fd, new(Handler), &ListenOptions{Limit: 2}); err != nil {
			t.Fatal(err)
		}
		for want := range 3 { // Conns, of both ends
			for range 3 {
				if err := l.round(); err != nil {
					t.Fatalf("round: %v", err)
				}
			}
			if l.Len() != 2*want {
				t.Fatalf("%d Conns, want %d", l.Len(), 2*want)
			}
			wantOwned(t, l, fd)
			if _, err := l.Dial(address, new(Handler)); err != nil {
				t.Fatal(err)
			}
			l.tidy()
		}
	})
}

// And with that of a PacketConn.
func TestDescriptorOfAPacketConnIsTaken(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(fds[1]) }()
		var got []byte
		h := &PacketHandler{Packet: func(_ *PacketConn, p []byte, _ unix.Sockaddr) { got = append(got, p...) }}
		if _, err := l.Packets(fds[0], h); err != nil {
			t.Fatal(err)
		}
		wantOwned(t, l, fds[0])
		setClock(l) // so that no round waits
		if _, err := unix.Write(fds[1], []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if err := l.round(); err != nil || string(got) != "hello" {
			t.Errorf("round = %v, Packet got %q; want nil, %q", err, got, "hello")
		}
	})
}
