//go:build linux

package epoll_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// detached is what Detach returned.
type detached struct {
	fd     int
	unsent []byte
}

// conn makes a net.Conn of a detached descriptor.
func (d detached) conn(tb testing.TB) net.Conn {
	tb.Helper()
	f := os.NewFile(uintptr(d.fd), "detached")
	defer func() { _ = f.Close() }()
	c, err := net.FileConn(f)
	must(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// leave detaches c, and checks what is left of it.
func leave(tb testing.TB, c *epoll.Conn, to chan<- detached) {
	tb.Helper()
	l := c.Loop()
	fd, unsent, err := c.Detach()
	must(tb, err)
	if fd != c.FD() {
		tb.Errorf("Detach = %d, want the descriptor, %d", fd, c.FD())
	}
	if again, _, err := c.Detach(); again != -1 || err != os.ErrClosed {
		tb.Errorf("a second Detach = %d, %v; want -1, os.ErrClosed", again, err)
	}
	if _, err := c.Write([]byte("x")); err != os.ErrClosed {
		tb.Errorf("Write after Detach: %v, want os.ErrClosed", err)
	}
	if err := c.Close(nil); err != os.ErrClosed {
		tb.Errorf("Close after Detach: %v, want os.ErrClosed", err)
	}
	if l.Conn(c.ID()) != nil || l.Len() != 0 {
		tb.Errorf("Conn(%d) = %v and Len = %d after Detach; want nil, 0", c.ID(), l.Conn(c.ID()), l.Len())
	}
	to <- detached{fd, bytes.Join(unsent, nil)}
}

// From any callback a Conn can go over to a goroutine, and nothing of the Handler
// is called behind that.
func TestDetachAndGoOnElsewhere(t *testing.T) {
	to := make(chan detached, 1)
	for name, set := range map[string]func(tb testing.TB, h *epoll.Handler){
		"Opened": func(tb testing.TB, h *epoll.Handler) {
			tb.Helper()
			h.Opened = func(c *epoll.Conn) error { leave(tb, c, to); return nil }
		},
		"Data": func(tb testing.TB, h *epoll.Handler) {
			tb.Helper()
			h.Data = func(c *epoll.Conn, p []byte) error {
				if string(p) != "hello" {
					tb.Errorf("Data got %q, want %q", p, "hello")
				}
				_, err := c.Write([]byte("from the Conn, "))
				must(tb, err)
				leave(tb, c, to)
				return io.ErrUnexpectedEOF // which closes nothing any more
			}
		},
		"Post": func(tb testing.TB, h *epoll.Handler) {
			tb.Helper()
			h.Data = func(c *epoll.Conn, _ []byte) error {
				return c.Loop().Post(func() { leave(tb, c, to) })
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				fd, peer := unixPeer(t, unix.SOCK_STREAM)
				h := &epoll.Handler{Closed: func(_ *epoll.Conn, reason error) { t.Errorf("Closed with %v after Detach", reason) }}
				set(t, h)
				_, err := l.Attach(fd, h)
				must(t, err)
				run(t, l)
				_, err = peer.Write([]byte("hello"))
				must(t, err)
				d := next(t, to)
				if len(d.unsent) > 0 {
					t.Errorf("unsent = %q, want nothing", d.unsent)
				}
				c := d.conn(t)
				_, err = c.Write([]byte("from elsewhere"))
				must(t, err)
				must(t, c.Close())
				want := "from elsewhere"
				if name == "Data" {
					want = "from the Conn, from elsewhere"
				}
				if got, err := io.ReadAll(peer); string(got) != want || err != nil && name != "Opened" {
					t.Errorf("the peer read %q, %v; want %q", got, err, want)
				}
			})
		})
	}
}

func TestDetachReturnsWhatIsUnsent(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		sent := pattern(2 << 20)
		to := make(chan detached, 1)
		_, err := l.Attach(fd, &epoll.Handler{Opened: func(c *epoll.Conn) error {
			for p := sent; len(p) > 0; p = p[min(len(p), 10_000):] {
				_, err := c.Write(p[:min(len(p), 10_000)])
				must(t, err)
			}
			leave(t, c, to)
			return nil
		}})
		must(t, err)
		run(t, l)
		d := next(t, to)
		if n := len(d.unsent); n == 0 || n == len(sent) || !bytes.HasSuffix(sent, d.unsent) {
			t.Errorf("unsent is %d bytes of %d, want some of the last", n, len(sent))
		}
		c := d.conn(t)
		go func() {
			_, _ = c.Write(d.unsent) // what is missing is noticed below
			_ = c.Close()
		}()
		readAll(t, peer, sent)
	})
}

// The epoll set forgets a descriptor that was detached, so that another Loop, or
// the same one, can have it.
func TestDetachToAnotherLoop(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l, other := newLoop(t, w), newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		to := make(chan detached, 1)
		_, err := l.Attach(fd, &epoll.Handler{Data: func(c *epoll.Conn, _ []byte) error { leave(t, c, to); return nil }})
		must(t, err)
		run(t, l)
		run(t, other)
		_, err = peer.Write([]byte("x"))
		must(t, err)
		d := next(t, to)
		for _, l := range []*epoll.Loop{other, l} {
			on(t, l, func() {
				_, err := l.Attach(d.fd, &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
					if string(p) != "again" {
						return echo(c, p)
					}
					leave(t, c, to)
					return nil
				}})
				must(t, err)
			})
			_, err = peer.Write([]byte("y"))
			must(t, err)
			if _, err := io.ReadFull(peer, make([]byte, 1)); err != nil {
				t.Errorf("the peer's read: %v", err)
			}
			_, err = peer.Write([]byte("again"))
			must(t, err)
			d = next(t, to)
		}
		must(t, unix.Close(d.fd))
	})
}
