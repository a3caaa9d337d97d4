//go:build linux

package epoll

import (
	"bytes"
	"testing"
	"time"

	"github.com/plait-go/plait/uds/leaktest"
	"golang.org/x/sys/unix"
)

// returns wants fn to return. What hangs is freed by the end of the peer.
func returns(tb testing.TB, peer int, fn func()) {
	tb.Helper()
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = unix.Shutdown(peer, unix.SHUT_RDWR) // it is open
		<-done
		tb.Fatal("hangs in a system call")
	}
}

// O_NONBLOCK belongs to the open socket: another process that has it may clear the
// flag at any time, and no call may hang for that.
func TestCallsDoNotBlockWithoutTheFlag(t *testing.T) {
	p := make([]byte, 1<<16)
	for name, call := range map[string]func(fd int) unix.Errno{
		"read":        func(fd int) unix.Errno { _, err := read(fd, p); return err },
		"receiveFrom": func(fd int) unix.Errno { _, _, err := receiveFrom(fd, p); return err },
		"write":       func(fd int) unix.Errno { _, err := write(fd, p); return err },
		"writev":      func(fd int) unix.Errno { _, err := writev(fd, [][]byte{p, p, p}); return err },
		"sendTo":      func(fd int) unix.Errno { return sendTo(fd, p, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) }()
			for err == nil { // until there is no room
				_, err = unix.Write(fds[0], p)
			}
			if err := unix.SetNonblock(fds[0], false); err != nil {
				t.Fatal(err)
			}
			returns(t, fds[1], func() {
				if err := call(fds[0]); err != unix.EAGAIN {
					t.Errorf("%s = %v, want %v", name, err, unix.EAGAIN)
				}
			})
		})
	}
}

// Neither does the Loop hang, whose Conn has more to send than the kernel takes, in
// one piece and in several; and nothing of it is lost.
func TestFloodIsSentWithoutTheFlag(t *testing.T) {
	for name, first := range map[string]int{"one piece": 0, "two pieces": 60 << 10} {
		t.Run(name, func(t *testing.T) {
			ways(t, func(t *testing.T, l *Loop) {
				setClock(l) // so that no round waits
				c, peer := couple(t, l, &Handler{Limits: &Limits{Frame: 4 << 20}})
				if err := unix.SetNonblock(c.FD(), false); err != nil {
					t.Fatal(err)
				}
				sent := pattern(first + 2<<20)
				returns(t, peer, func() {
					for _, p := range [][]byte{sent[:first], sent[first:]} {
						if _, err := c.Write(p); err != nil {
							t.Errorf("Write(%d bytes) = %v", len(p), err)
						}
					}
					l.tidy()
				})
				if c.Unsent() == 0 {
					t.Fatal("nothing is unsent, so nothing is tested")
				}
				var got []byte
				for p := make([]byte, 1<<20); len(got) < len(sent); {
					n, err := unix.Read(peer, p)
					if err != nil {
						t.Fatalf("%d bytes came of %d, then %v", len(got), len(sent), err)
					}
					got = append(got, p[:n]...)
					if c.Unsent() > 0 {
						returns(t, peer, func() {
							if err := l.round(); err != nil {
								t.Errorf("round: %v", err)
							}
						})
					}
				}
				if !bytes.Equal(got, sent) {
					t.Error("other bytes came than were written")
				}
			})
		})
	}
}

// A packet socket is read until nothing is there: that read must not hang either.
func TestPacketsAreReadWithoutTheFlag(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(fds[1]) }()
		setClock(l) // so that no round waits
		var got []byte
		c, err := l.Attach(fds[0], &Handler{Data: func(_ *Conn, p []byte) error { got = append(got, p...); return nil }})
		if err != nil {
			t.Fatal(err)
		}
		l.tidy()
		if err := unix.SetNonblock(c.FD(), false); err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Write(fds[1], []byte("hello")); err != nil {
			t.Fatal(err)
		}
		returns(t, fds[1], func() {
			if err := l.round(); err != nil {
				t.Errorf("round: %v", err)
			}
		})
		if string(got) != "hello" {
			t.Errorf("Data got %q, want %q", got, "hello")
		}
	})
}

// accept4(2) knows no MSG_DONTWAIT: accept sets the flag of the socket again.
func TestAcceptDoesNotBlockWithoutTheFlag(t *testing.T) {
	leaktest.Check(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	returns(t, fd, func() {
		if _, err := accept(fd); err != unix.EAGAIN {
			t.Errorf("accept = %v, want %v", err, unix.EAGAIN)
		}
	})
}
