//go:build linux

package epoll

import (
	"bytes"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Signals interrupt system calls all the time, and nothing is seen of it: every
// byte comes back once, and no connection ends.
func TestSignalStorm(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		peer, closed := echoPeer(t, l)
		ended := make(chan error, 1)
		tid := make(chan int, 1)
		if err := l.Post(func() { tid <- unix.Gettid() }); err != nil {
			t.Fatal(err)
		}
		go func() { ended <- l.Run(t.Context()) }()
		calm := storm(<-tid)
		sent := pattern(4 << 20)
		written := make(chan error, 1)
		go func() {
			_, err := peer.Write(sent)
			if err == nil {
				err = shutdownOf(peer)
			}
			written <- err
		}()
		got, err := io.ReadAll(peer)
		calm()
		if !bytes.Equal(got, sent) || err != nil {
			t.Errorf("%d bytes came back, %v; want the %d that were sent", len(got), err, len(sent))
		}
		if err := <-written; err != nil {
			t.Errorf("writing: %v", err)
		}
		if err := peer.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if reason := <-closed; reason != io.EOF {
			t.Errorf("Closed with %v, want io.EOF", reason)
		}
		l.Stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// echoPeer returns one end of a socket pair whose other end is an echo on l.
func echoPeer(t *testing.T, l *Loop) (*os.File, <-chan error) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	h := &Handler{Data: echoes, Closed: func(_ *Conn, reason error) { closed <- reason }}
	if _, err := l.Attach(fds[0], h); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fds[1]), "peer"), closed
}

// shutdownOf closes f for writing.
func shutdownOf(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	if err := conn.Control(func(fd uintptr) { failure = unix.Shutdown(int(fd), unix.SHUT_WR) }); err != nil {
		return err
	}
	return failure
}

// storm sends signals that nobody asked for to a thread and to the process, until
// calm is called.
func storm(tid int) (calm func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		pid := unix.Getpid()
		for {
			select {
			case <-over:
				return
			default:
				_ = unix.Tgkill(pid, tid, unix.SIGURG) // a thread may have ended
				_ = unix.Kill(pid, unix.SIGCHLD)       // the process is here
			}
		}
	}()
	return func() { close(over); <-done }
}
