//go:build linux

package epoll_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// pattern returns n bytes of which no part looks like another.
func pattern(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p) // never fails
	return p
}

// readAll reads what the peer gets, and compares.
func readAll(tb testing.TB, peer io.Reader, want []byte) {
	tb.Helper()
	got, err := io.ReadAll(peer)
	if !bytes.Equal(got, want) || err != nil {
		tb.Errorf("the peer read %d bytes, %v; want %d, the same as were written", len(got), err, len(want))
	}
}

func TestWritevTakesAllOrNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		sent := pattern(12 << 20)
		parts := [][]byte{sent[:3<<20], sent[3<<20 : 6<<20], nil, sent[6<<20 : 9<<20], sent[9<<20:]}
		for _, limits := range []*epoll.Limits{nil, {Cap: 12 << 20}} {
			l := newLoop(t, w)
			fd, peer := tcpPair(t)
			_, err := l.Attach(fd, &epoll.Handler{Limits: limits, Opened: func(c *epoll.Conn) error {
				n, err := c.Writev(parts...)
				if limits == nil {
					if n != 0 || err != epoll.ErrFull || c.Unsent() != 0 {
						t.Errorf("Writev of 12 MiB = %d, %v, Unsent = %d; want 0, ErrFull, 0", n, err, c.Unsent())
					}
				} else if n != len(sent) || err != nil {
					t.Errorf("Writev of 12 MiB = %d, %v; want all, <nil>", n, err)
				}
				for _, p := range parts {
					clear(p) // which is the caller's again
				}
				return c.Close(nil)
			}})
			must(t, err)
			stop := run(t, l)
			if limits == nil {
				readAll(t, peer, nil)
			} else {
				readAll(t, peer, pattern(12<<20))
			}
			must(t, peer.Close())
			stop()
			copy(sent, pattern(12<<20))
		}
	})
}

// What is written before the descriptor has ever been watched is sent like the rest.
func TestWriteInOpened(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		sent := pattern(6 << 20)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		_, err := l.Attach(fd, &epoll.Handler{
			Limits: &epoll.Limits{Cap: 8 << 20},
			Opened: func(c *epoll.Conn) error {
				n, err := c.Write(sent)
				if n != len(sent) || err != nil {
					t.Errorf("Write(%d bytes) = %d, %v; want all, <nil>", len(sent), n, err)
				}
				return c.CloseWrite()
			},
		})
		must(t, err)
		run(t, l)
		readAll(t, peer, sent)
	})
}

func TestErrFullTakesNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		sent := pattern(4000)
		_, err := l.Attach(fd, &epoll.Handler{
			Limits: &epoll.Limits{Turn: 1000, Frame: 1000, HighWater: 1000, Cap: 4000},
			Opened: func(c *epoll.Conn) error {
				for i := 0; i < 4000; i += 1000 {
					if n, err := c.Write(sent[i : i+1000]); n != 1000 || err != nil {
						t.Errorf("Write at %d = %d, %v; want 1000, <nil>", i, n, err)
					}
				}
				if n, err := c.Write([]byte("x")); n != 0 || err != epoll.ErrFull {
					t.Errorf("Write above the cap = %d, %v; want 0, ErrFull", n, err)
				}
				if n, err := c.Writev([]byte("x"), []byte("y")); n != 0 || err != epoll.ErrFull {
					t.Errorf("Writev above the cap = %d, %v; want 0, ErrFull", n, err)
				}
				if n, err := c.Write(nil); n != 0 || err != nil {
					t.Errorf("Write of nothing = %d, %v; want 0, <nil>", n, err)
				}
				if got := c.Unsent(); got != 4000 {
					t.Errorf("Unsent = %d, want 4000", got)
				}
				return c.Close(nil)
			},
		})
		must(t, err)
		run(t, l)
		readAll(t, peer, sent)
	})
}

// An error that a handler returns because it is full is the reason of the end.
func TestErrFullAsAReason(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		h := &epoll.Handler{Data: func(c *epoll.Conn, _ []byte) error {
			_, err := c.Write(make([]byte, 16<<20))
			return err
		}}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		_, err = peer.Write([]byte("x"))
		must(t, err)
		readAll(t, peer, nil)
		must(t, peer.Close())
		if reason := next(t, closed); reason != epoll.ErrFull {
			t.Errorf("Closed with %v, want ErrFull", reason)
		}
	})
}

func TestWriteWhenItIsTooLate(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		for name, end := range map[string]func(c *epoll.Conn) error{
			"CloseWrite": func(c *epoll.Conn) error { return c.CloseWrite() },
			"Close":      func(c *epoll.Conn) error { return c.Close(nil) },
			"Abort":      func(c *epoll.Conn) error { return c.Abort(nil) },
		} {
			l := newLoop(t, w)
			fd, peer := unixPeer(t, unix.SOCK_STREAM)
			must(t, peer.Close())
			h := &epoll.Handler{
				Opened: func(c *epoll.Conn) error {
					must(t, end(c))
					if n, err := c.Write([]byte("x")); n != 0 || err != os.ErrClosed {
						t.Errorf("Write after %s = %d, %v; want 0, os.ErrClosed", name, n, err)
					}
					return nil
				},
				Closed: func(*epoll.Conn, error) { l.Stop() },
			}
			c, err := l.Attach(fd, h)
			must(t, err)
			runHere(t, l)
			if n, err := c.Writev([]byte("x")); n != 0 || err == nil {
				t.Errorf("Writev after Closed = %d, %v; want 0, an error", n, err)
			}
		}
	})
}

// After an error there is no more to be written, but what the peer sent before it
// is read.
func TestWriteAfterAnErrorOfWrite(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		_, err := peer.Write([]byte("last words"))
		must(t, err)
		must(t, peer.Close())
		var got []byte
		h := &epoll.Handler{
			Opened: func(c *epoll.Conn) error {
				_, err := c.Write([]byte("nobody reads this"))
				return err
			},
			Data: func(c *epoll.Conn, p []byte) error {
				if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, unix.EPIPE) {
					t.Errorf("Write after an error = %d, %v; want 0, EPIPE", n, err)
				}
				got = append(got, p...)
				return nil
			},
		}
		closed := reasons(h)
		_, err = l.Attach(fd, h)
		must(t, err)
		run(t, l)
		if reason := next(t, closed); !errors.Is(reason, unix.EPIPE) || string(got) != "last words" {
			t.Errorf("Closed with %v after %q was read; want EPIPE, and all that the peer sent", reason, got)
		}
	})
}

// A callback may write to any Conn of its Loop, and to so many that they cannot all
// have a chunk of memory until it returns.
func TestWriteToManyFromOneCallback(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		const many = 150
		type end struct {
			c    *epoll.Conn
			peer io.Reader
		}
		ends := make([]end, many)
		for i := range ends {
			fd, peer := unixPeer(t, unix.SOCK_STREAM)
			c, err := l.Attach(fd, &epoll.Handler{})
			must(t, err)
			ends[i] = end{c, peer}
		}
		run(t, l)
		message := pattern(1000)
		on(t, l, func() {
			for range 2 {
				for _, e := range ends {
					_, err := e.c.Write(message)
					must(t, err)
				}
			}
		})
		for i, e := range ends {
			got := make([]byte, 2000)
			if n, err := io.ReadFull(e.peer, got); err != nil || !bytes.Equal(got, append(message[:1000:1000], message...)) {
				t.Errorf("peer %d read %d bytes, %v; want both messages", i, n, err)
			}
		}
	})
}
