//go:build linux

package epoll_test

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestDialOpensAConn(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		name := filepath.Join(t.TempDir(), "socket")
		for network, address := range map[string]string{"unix": name, "tcp4": "127.0.0.1:0"} {
			ln, err := net.Listen(network, address)
			must(t, err)
			var to unix.Sockaddr = &unix.SockaddrUnix{Name: name}
			if a, ok := ln.Addr().(*net.TCPAddr); ok {
				to = &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte{127, 0, 0, 1}}
			}
			l := newLoop(t, w)
			var log []string
			h := calls(&log)
			h.Opened = func(c *epoll.Conn) error {
				log = append(log, "Opened")
				_, err := c.Write([]byte("hello"))
				return err
			}
			closed := reasons(h)
			c, err := l.Dial(to, h)
			must(t, err)
			if l.Conn(c.ID()) != c || l.Len() != 1 {
				t.Errorf("%s: Conn(%d) = %p, Len = %d after Dial; want %p, 1", network, c.ID(), l.Conn(c.ID()), l.Len(), c)
			}
			if network == "tcp4" {
				if on, err := unix.GetsockoptInt(c.FD(), unix.IPPROTO_TCP, unix.TCP_NODELAY); on == 0 || err != nil {
					t.Errorf("TCP_NODELAY = %d, %v; want it set", on, err)
				}
			}
			stop := run(t, l)
			peer, err := ln.Accept()
			must(t, err)
			must(t, ln.Close())
			if _, err := io.ReadFull(peer, make([]byte, 5)); err != nil {
				t.Errorf("%s: the peer's read: %v", network, err)
			}
			must(t, peer.Close())
			// The peer's end is the Conn's own to tell: EOF is set, and answers nothing.
			on(t, l, func() { _ = c.Close(nil) }) // or it has broken
			if reason := next(t, closed); reason != nil {
				t.Errorf("%s: Closed with %v", network, reason)
			}
			stop()
			if len(log) == 0 || log[0] != "Opened" {
				t.Errorf("%s: calls %q, want Opened first", network, log)
			}
		}
	})
}

func TestDialThatFails(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		opened := func(*epoll.Conn) error { t.Error("Opened, of one who is not connected"); return nil }
		h := &epoll.Handler{Opened: opened}
		closed := reasons(h)
		_, err := l.Dial(&unix.SockaddrUnix{Name: filepath.Join(t.TempDir(), "nobody")}, h)
		must(t, err)
		if len(closed) != 0 {
			t.Error("Closed is called before Dial has returned")
		}
		if c, err := l.Dial(&unix.SockaddrVM{}, h); c != nil || !errors.Is(err, unix.EAFNOSUPPORT) {
			t.Errorf("Dial of another kind of address = %v, %v; want nil, EAFNOSUPPORT", c, err)
		}
		run(t, l)
		if reason := next(t, closed); !errors.Is(reason, unix.ENOENT) {
			t.Errorf("Closed with %v, want ENOENT", reason)
		}
		if n := l.Len(); n != 0 {
			t.Errorf("Len = %d, want 0", n)
		}
	})
}

// Whoever gives up before there is an answer is told of its own reason.
func TestCloseBeforeThereIsAnAnswer(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		own := errors.New("own")
		for name, end := range map[string]func(c *epoll.Conn) error{
			"Close": func(c *epoll.Conn) error { return c.Close(own) },
			"Abort": func(c *epoll.Conn) error { return c.Abort(own) },
		} {
			ln, err := net.Listen("tcp4", "127.0.0.1:0")
			must(t, err)
			l := newLoop(t, w)
			h := &epoll.Handler{Opened: func(*epoll.Conn) error { t.Errorf("Opened after %s", name); return nil }}
			h.Closed = func(_ *epoll.Conn, reason error) {
				if reason != own {
					t.Errorf("Closed with %v after %s, want its reason", reason, name)
				}
				l.Stop()
			}
			c, err := l.Dial(&unix.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}, h)
			must(t, err)
			if fd, _, err := c.Detach(); fd != -1 || err == nil {
				t.Errorf("Detach of one that is not connected = %d, %v; want an error", fd, err)
			}
			must(t, end(c))
			runHere(t, l)
			must(t, ln.Close())
		}
	})
}
