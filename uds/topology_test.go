//go:build linux

package uds_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// net.unix.max_dgram_qlen bounds the messages in the queue of a Datagram that is not
// connected to its sender, of all senders together, and nothing else.
func TestDatagramTopologies(t *testing.T) {
	leaktest.Check(t)
	bound := queueRoom(t)

	a, _ := pair(t, uds.Datagram)
	if _, n := stuff(t, a, []byte("x")); n <= bound {
		t.Errorf("a pair has room for %d messages, want more than %d", n, bound)
	}

	x, y := mutual(t)
	for _, c := range []*uds.Conn{x, y} {
		if _, n := stuff(t, c, []byte("x")); n <= bound {
			t.Errorf("two sockets that dialed each other have room for %d messages, want more than %d", n, bound)
		}
	}

	name := abstract(t)
	server := named(t, name)
	one, other := dial(t, uds.Datagram, name), dial(t, uds.Datagram, name)
	if _, n := stuff(t, one, []byte("x")); n != bound {
		t.Errorf("a named socket has room for %d messages, want %d", n, bound)
	}
	if _, n := stuff(t, other, []byte("x")); n != 0 {
		t.Errorf("a second sender finds room for %d messages, want none", n)
	}
	if writable(t, one) || writable(t, other) {
		t.Error("a sender to a full named socket is called writable")
	}
	must(t, second(server.TryReceive(make([]byte, 1))))
	if !writable(t, other) {
		t.Error("with room in the queue its sender is not called writable")
	}
	if _, n := stuff(t, other, []byte("x")); n != 1 {
		t.Errorf("after one was received there is room for %d messages, want 1", n)
	}
}

// mutual returns two Datagrams with names that are connected to each other.
func mutual(tb testing.TB) (a, b *uds.Conn) {
	tb.Helper()
	a, b = named(tb, abstract(tb)), named(tb, abstract(tb))
	for from, to := range map[*uds.Conn]*uds.Conn{a: b, b: a} {
		raw, err := from.SyscallConn()
		must(tb, err)
		failed := raw.Control(func(fd uintptr) {
			err = unix.Connect(int(fd), &unix.SockaddrUnix{Name: to.LocalAddr().String()})
		})
		must(tb, failed)
		must(tb, err)
	}
	return a, b
}

// writable reports whether the kernel calls c writable.
func writable(tb testing.TB, c *uds.Conn) bool {
	tb.Helper()
	return polled(tb, c, unix.POLLOUT)&unix.POLLOUT != 0
}

// polled returns what poll(2) says about c at once.
func polled(tb testing.TB, c *uds.Conn, events int16) int16 {
	tb.Helper()
	raw, err := c.SyscallConn()
	must(tb, err)
	var set [1]unix.PollFd
	failed := raw.Control(func(fd uintptr) {
		set[0] = unix.PollFd{Fd: int32(fd), Events: events}
		for {
			if _, err = unix.Poll(set[:], 0); err != unix.EINTR {
				return
			}
		}
	})
	must(tb, failed)
	must(tb, err)
	return set[0].Revents
}
