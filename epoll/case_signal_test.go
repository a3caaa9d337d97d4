//go:build linux

package epoll_test

import (
	"context"
	"io"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A process that is stopped and continued goes on where it was: what interrupts
// its system calls is no error.
func TestStoppedProcessGoesOn(t *testing.T) {
	const size = 4 << 20
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		e := listenAt(t, "tcp")
		ln := os.NewFile(uintptr(e.fd), "listener")
		server := startChild(t, "echo", w, ln)
		must(t, ln.Close())
		c := e.dial(t)
		asks(t, c, "before")
		for _, fill := range []bool{false, true} { // stopped while it waits, and while it has work
			p, sent := newTape(), make(chan error, 1)
			if !fill {
				server.stopped(t)
			}
			go func() { sent <- p.send(c, size) }()
			k := &checker{tape: p}
			if fill {
				reads(t, c, k, size/2)
				server.stopped(t)
			}
			must(t, unix.Kill(server.pid, unix.SIGCONT))
			reads(t, c, k, size)
			must(t, next(t, sent))
		}
	})
}

// stopped stops the child, and waits until it is.
func (c *child) stopped(tb testing.TB) {
	tb.Helper()
	must(tb, unix.Kill(c.pid, unix.SIGSTOP))
	var status unix.WaitStatus
	pid, err := unix.Wait4(c.pid, &status, unix.WUNTRACED, nil)
	if pid != c.pid || err != nil || !status.Stopped() {
		tb.Fatalf("wait4(%d) = %d, %#x, %v; want it stopped", c.pid, pid, status, err)
	}
}

// reads reads until k has n bytes.
func reads(tb testing.TB, r io.Reader, k *checker, n int) {
	tb.Helper()
	if _, err := io.CopyN(k, r, int64(n-k.place)); err != nil {
		tb.Fatalf("after %d bytes of %d: %v", k.place, n, err)
	}
}

// Signals interrupt system calls all the time, and change nothing.
func TestStormOfSignals(t *testing.T) {
	const size = 16 << 20
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := tcpPair(t)
		patient(t, peer)
		h := &epoll.Handler{Data: echo}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		thread, done := make(chan int, 1), make(chan error, 1)
		go func() {
			runtime.LockOSThread() // the thread that the signals are for
			defer runtime.UnlockOSThread()
			thread <- unix.Gettid()
			done <- l.Run(context.WithoutCancel(t.Context()))
		}()
		end, signals := make(chan struct{}), make(chan int, 1)
		go func() { signals <- storm(next(t, thread), end) }()
		p := newTape()
		go func() {
			_ = p.send(peer, size) // what is missing is noticed below
			_ = peer.CloseWrite()
		}()
		p.want(t, peer, size, 64<<10)
		wantClosed(t, closed, io.EOF)
		close(end)
		n := next(t, signals)
		l.Stop()
		must(t, next(t, done))
		t.Logf("%d signals", n)
	})
}

// storm sends a thread the signals that the runtime uses itself, and one that
// nobody waits for, until end is closed.
func storm(thread int, end <-chan struct{}) (n int) {
	for ; ; n++ {
		select {
		case <-end:
			return n
		default:
		}
		for _, s := range []unix.Signal{unix.SIGURG, unix.SIGCHLD} {
			_ = unix.Tgkill(os.Getpid(), thread, s) // EAGAIN when there are too many
		}
		runtime.Gosched()
	}
}
