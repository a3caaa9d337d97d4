//go:build linux

package epoll_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// silent returns the address of a TCP socket that answers nobody: its backlog is
// full.
func silent(tb testing.TB) unix.Sockaddr {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(tb, err)
	tb.Cleanup(func() { _ = unix.Close(fd) })
	must(tb, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(tb, unix.Listen(fd, 0))
	address, err := unix.Getsockname(fd)
	must(tb, err)
	for range 2 {
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		must(tb, err)
		tb.Cleanup(func() { _ = unix.Close(c) })
		if err := unix.Connect(c, address); err != unix.EINPROGRESS {
			must(tb, err)
		}
	}
	return address
}

// unixBacklog returns a listening UNIX socket whose backlog is full, and its
// address.
func unixBacklog(tb testing.TB) (fd int, address unix.Sockaddr) {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(tb, err)
	tb.Cleanup(func() { _ = unix.Close(fd) })
	must(tb, unix.Bind(fd, &unix.SockaddrUnix{})) // to a name that is free
	must(tb, unix.Listen(fd, 0))
	address, err = unix.Getsockname(fd)
	must(tb, err)
	client, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(tb, err)
	tb.Cleanup(func() { _ = unix.Close(client) })
	must(tb, unix.Connect(client, address))
	return fd, address
}

// A fate is what becomes of a Conn that is dialed.
type fate struct {
	opened int
	closed <-chan error
}

// dialAndWrite dials and writes, before there can be an answer.
func dialAndWrite(tb testing.TB, l *epoll.Loop, address unix.Sockaddr, limits *epoll.Limits, write string) (*epoll.Conn, *fate) {
	tb.Helper()
	o := new(fate)
	h := &epoll.Handler{Opened: func(*epoll.Conn) error { o.opened++; return nil }, Limits: limits}
	o.closed = reasons(h)
	c, err := l.Dial(address, h)
	must(tb, err)
	if n, err := c.Write([]byte(write)); n != len(write) || err != nil {
		tb.Errorf("Write(%d bytes) = %d, %v; want %d, nil", len(write), n, err, len(write))
	}
	return c, o
}

// Whoever dials where nobody listens is told so once, and nothing is left.
func TestDialToAClosedPort(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		port := ln.Addr().(*net.TCPAddr).Port
		must(t, ln.Close())
		l := newLoop(t, w)
		_, o := dialAndWrite(t, l, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}, nil, "hello")
		l.Drain(nil)
		runHere(t, l)
		if reason := next(t, o.closed); !errors.Is(reason, unix.ECONNREFUSED) || len(o.closed) > 0 || o.opened > 0 {
			t.Errorf("Closed with %v and %d times more, Opened %d times; want ECONNREFUSED, 0, 0", reason, len(o.closed), o.opened)
		}
	})
}

// Whoever dials where nobody answers waits for Limits.Dial.
func TestDialWithoutAnAnswer(t *testing.T) {
	limits := &epoll.Limits{Dial: 30 * time.Millisecond}
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		_, full := unixBacklog(t)
		for _, address := range []unix.Sockaddr{full, silent(t)} {
			l := newLoop(t, w)
			_, o := dialAndWrite(t, l, address, limits, "hello")
			l.Drain(nil)
			runHere(t, l)
			if reason := next(t, o.closed); !errors.Is(reason, unix.ETIMEDOUT) || len(o.closed) > 0 || o.opened > 0 {
				t.Errorf("%T: Closed with %v and %d times more, Opened %d times; want ETIMEDOUT, 0, 0", address, reason, len(o.closed), o.opened)
			}
		}
	})
}

// A UNIX socket whose backlog is full refuses; it is tried until there is room,
// and what was written meanwhile arrives.
func TestDialWaitsForRoomInTheBacklog(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		fd, address := unixBacklog(t)
		l := newLoop(t, w)
		c, o := dialAndWrite(t, l, address, nil, "hello")
		must(t, c.CloseWrite())
		stop := run(t, l)
		on(t, l, func() {
			if o.opened != 0 {
				t.Error("Opened, though the backlog is full")
			}
		})
		first, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		must(t, err)
		must(t, unix.Close(first))
		wantMessage(t, fd, "hello")
		wantClosed(t, o.closed, io.EOF)
		stop()
		if o.opened != 1 {
			t.Errorf("Opened %d times, want 1", o.opened)
		}
	})
}

// What is written before there is a connection is sent when there is one, also
// when Close is called at once.
func TestWriteBeforeConnected(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, err)
		fd, err := epoll.Duplicate(ln)
		must(t, err)
		must(t, ln.Close())
		must(t, unix.SetNonblock(fd, false))
		t.Cleanup(func() { _ = unix.Close(fd) })
		address, err := unix.Getsockname(fd)
		must(t, err)
		l := newLoop(t, w)
		c, o := dialAndWrite(t, l, address, nil, "one")
		must(t, c.CloseWrite())
		d, p := dialAndWrite(t, l, address, nil, "two")
		must(t, d.Close(io.EOF))
		stop := run(t, l)
		for _, want := range []string{"one", "two"} {
			wantMessage(t, fd, want)
		}
		wantClosed(t, o.closed, io.EOF)
		wantClosed(t, p.closed, io.EOF)
		stop()
		if o.opened != 1 || p.opened != 0 {
			t.Errorf("Opened %d times, and %d times after Close; want 1, 0", o.opened, p.opened)
		}
	})
}

// wantMessage accepts a connection and reads a message to its end.
func wantMessage(tb testing.TB, fd int, want string) {
	tb.Helper()
	wait := unix.NsecToTimeval(int64(patience))
	must(tb, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait))
	conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	must(tb, err)
	f := os.NewFile(uintptr(conn), "accepted")
	defer func() { _ = f.Close() }()
	must(tb, f.SetDeadline(time.Now().Add(patience)))
	if got, err := io.ReadAll(f); string(got) != want || err != nil {
		tb.Errorf("%q came, %v; want %q, nil", got, err, want)
	}
}
