//go:build linux

package epoll_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// Sockets of every kind that has connections can be listened on, and keep what is
// particular to them.
func TestListenOnEveryKind(t *testing.T) {
	for _, network := range []string{"tcp", "unix", "unixpacket"} {
		t.Run(network, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				e := listenAt(t, network)
				must(t, unix.SetNonblock(e.fd, false)) // which would block the Loop
				var options []int
				h := &epoll.Handler{Data: echo, Opened: func(c *epoll.Conn) error {
					options = socketOptions(t, c.FD())
					return nil
				}}
				ln, err := l.Listen(e.fd, h, nil)
				must(t, err)
				if ln.FD() != e.fd {
					t.Errorf("FD = %d, want %d", ln.FD(), e.fd)
				}
				stop := run(t, l)
				c := e.dial(t)
				messages := [][]byte{[]byte("a"), bytes.Repeat([]byte("b"), 100), []byte("c")}
				for _, m := range messages {
					says(t, c, string(m))
				}
				buf := make([]byte, 1000)
				for _, m := range messages {
					if network == "unixpacket" {
						n, err := c.Read(buf)
						if !bytes.Equal(buf[:n], m) || err != nil {
							t.Errorf("Read = %q, %v; want one packet, %q", buf[:n], err, m)
						}
						continue
					}
					hears(t, c, string(m))
				}
				stop()
				nodelay := 0
				if network == "tcp" {
					nodelay = 1
				}
				if options[0] != unix.FD_CLOEXEC || options[1]&unix.O_NONBLOCK == 0 || options[2] != nodelay {
					t.Errorf("CLOEXEC, flags, NODELAY = %#x; want 1, with %#x, %d", options, unix.O_NONBLOCK, nodelay)
				}
			})
		})
	}
}

// socketOptions returns whether fd is closed in programs that are executed, the
// flags of its file, and whether TCP sends without delay.
func socketOptions(tb testing.TB, fd int) []int {
	tb.Helper()
	cloexec, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	must(tb, err)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	must(tb, err)
	nodelay, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY)
	if err != nil {
		nodelay = 0 // it is not TCP
	}
	return []int{cloexec, flags, nodelay}
}

// Close of a Listener is for those who come, not for those who are there.
func TestListenerCloseKeepsConns(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		e := listenAt(t, "tcp")
		ln, err := l.Listen(e.fd, &epoll.Handler{Data: echo}, nil)
		must(t, err)
		run(t, l)
		c := e.dial(t)
		asks(t, c, "before")
		on(t, l, func() {
			must(t, ln.Close())
			if err := ln.Close(); err != os.ErrClosed {
				t.Errorf("a second Close = %v, want os.ErrClosed", err)
			}
			if n := l.Pins().Listeners; n != 0 {
				t.Errorf("%d Listeners, want 0", n)
			}
		})
		asks(t, c, "after")
		if late, err := net.Dial("tcp", e.address.String()); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("Dial after Close = %v, %v; want ECONNREFUSED", late, err)
		}
	})
}

// Close of a Listener in a callback of one of its Conns, in the round in which
// others are being accepted, is heard at once.
func TestListenerClosesInOpened(t *testing.T) {
	const clients = 5
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		e := listenAt(t, "tcp")
		var all []net.Conn
		for range clients {
			all = append(all, e.dial(t))
		}
		var ln *epoll.Listener
		opened := 0
		h := &epoll.Handler{Data: echo, Opened: func(*epoll.Conn) error {
			if opened++; opened == 1 {
				return ln.Close()
			}
			return nil
		}}
		ln, err := l.Listen(e.fd, h, &epoll.ListenOptions{Limit: 3})
		must(t, err)
		run(t, l)
		for _, c := range all[:3] { // were accepted before the first was opened
			asks(t, c, "hello")
		}
		for _, c := range all[3:] {
			wantEnd(t, c)
		}
	})
}

// What Listen refuses stays the caller's, and as it was.
func TestListenRefuses(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l, ended := newLoop(t, w), newLoop(t, w)
		must(t, ended.Close())
		stream, _ := streams(t)
		datagram, peer := unixPair(t, unix.SOCK_DGRAM)
		defer func() { _, _ = unix.Close(datagram), unix.Close(peer) }()
		in, _ := pipe(t)
		gone, err := unix.Dup(in)
		must(t, err)
		must(t, unix.Close(gone))
		bad := &epoll.Handler{Limits: &epoll.Limits{Idle: -time.Second}}
		for name, test := range map[string]struct {
			l    *epoll.Loop
			fd   int
			h    *epoll.Handler
			want error
		}{
			"a loop that has ended":       {ended, stream, new(epoll.Handler), epoll.ErrStopped},
			"limits":                      {l, stream, bad, nil},
			"datagrams":                   {l, datagram, new(epoll.Handler), unix.EPROTOTYPE},
			"no socket":                   {l, in, new(epoll.Handler), unix.ENOTSOCK},
			"no descriptor":               {l, -1, new(epoll.Handler), unix.EBADF},
			"a descriptor that is closed": {l, gone, new(epoll.Handler), unix.EBADF},
		} {
			ln, err := test.l.Listen(test.fd, test.h, nil)
			if ln != nil || err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s: Listen(%d) = %v, %v; want nil, %v", name, test.fd, ln, err, test.want)
			}
		}
		for _, fd := range []int{stream, datagram, in} {
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
				t.Errorf("descriptor %d is gone: %v", fd, err)
			}
		}
		if n := l.Pins().Listeners; n != 0 {
			t.Errorf("%d Listeners, want 0", n)
		}
	})
}

// A descriptor that is being watched cannot be listened on; whoever watches it
// goes on.
func TestListenOnWhatIsWatched(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		e := listenAt(t, "tcp")
		calls := 0
		s, err := l.Add(e.fd, epoll.Readable, func(epoll.Events) { calls++; l.Stop() })
		must(t, err)
		if ln, err := l.Listen(e.fd, new(epoll.Handler), nil); ln != nil || !errors.Is(err, unix.EEXIST) {
			t.Errorf("Listen = %v, %v; want nil, EEXIST", ln, err)
		}
		e.dial(t)
		l.After(patience/20, l.Stop)
		runHere(t, l)
		if calls != 1 {
			t.Errorf("the Source was called %d times, want 1", calls)
		}
		_ = s.Remove() // the Loop has ended
		must(t, unix.Close(e.fd))
	})
}
