//go:build linux

package epoll_test

import (
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/plait-go/plait/epoll"
)

// An endpoint is a listening socket for a Loop, which will own it, and its
// address.
type endpoint struct {
	fd      int
	address net.Addr
}

// listenAt returns an endpoint of "tcp", "unix" or "unixpacket".
func listenAt(tb testing.TB, network string) endpoint {
	tb.Helper()
	address := "" // a UNIX socket gets a name that is free
	if network == "tcp" {
		address = "127.0.0.1:0"
	}
	ln, err := net.Listen(network, address)
	must(tb, err)
	defer func() { _ = ln.Close() }()
	return endpoint{duplicate(tb, ln), ln.Addr()}
}

// duplicate is epoll.Duplicate of a net.Listener.
func duplicate(tb testing.TB, ln net.Listener) int {
	tb.Helper()
	fd, err := epoll.Duplicate(ln.(syscall.Conn))
	must(tb, err)
	return fd
}

// dial returns a connection, which is closed at the end of the test.
func (e endpoint) dial(tb testing.TB) net.Conn {
	tb.Helper()
	c, err := net.Dial(e.address.Network(), e.address.String())
	must(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	patient(tb, c)
	return c
}

// says sends a message.
func says(tb testing.TB, c net.Conn, message string) {
	tb.Helper()
	_, err := c.Write([]byte(message))
	must(tb, err)
}

// hears wants a message.
func hears(tb testing.TB, c net.Conn, message string) {
	tb.Helper()
	got := make([]byte, len(message))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != message {
		tb.Fatalf("%q came, %v; want %q, nil", got[:n], err, message)
	}
}

// asks sends a message, and wants it back.
func asks(tb testing.TB, c net.Conn, message string) {
	tb.Helper()
	says(tb, c, message)
	hears(tb, c, message)
}
