//go:build linux

package epoll_test

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestCloseSendsWhatIsUnsent(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		own := errors.New("own")
		for _, reason := range []error{nil, own} {
			l := newLoop(t, w)
			sent := pattern(4 << 20)
			fd, peer := tcpPair(t)
			h := &epoll.Handler{
				Limits: &epoll.Limits{Cap: 8 << 20},
				Opened: func(c *epoll.Conn) error {
					_, err := c.Write(sent)
					must(t, err)
					if c.Unsent() == 0 {
						t.Error("Unsent = 0 of 4 MiB that nobody reads, want some")
					}
					must(t, c.Close(reason))
					if err := c.Close(nil); err != os.ErrClosed {
						t.Errorf("a second Close: %v, want os.ErrClosed", err)
					}
					return errors.New("too late to be the reason")
				},
			}
			closed := reasons(h)
			_, err := l.Attach(fd, h)
			must(t, err)
			stop := run(t, l)
			on(t, l, func() {}) // the reader is late
			readAll(t, peer, sent)
			must(t, peer.Close())
			if got := next(t, closed); got != reason {
				t.Errorf("Closed with %v, want %v", got, reason)
			}
			stop()
		}
	})
}

// A socket that is closed on unread bytes resets the connection, and the reply that
// was sent is lost to a client that has not read it yet.
func TestCloseOnUnreadInputKeepsTheReply(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := tcpPair(t)
		reply := pattern(64 << 10)
		h := &epoll.Handler{
			Limits: &epoll.Limits{Turn: 1000},
			Data: func(c *epoll.Conn, _ []byte) error {
				_, err := c.Write(reply)
				must(t, err)
				return c.Close(nil)
			},
		}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		for range 100 { // more than is read before Close, and some behind it
			_, err := peer.Write(make([]byte, 10_000))
			must(t, err)
		}
		readAll(t, peer, reply)
		must(t, peer.Close())
		if reason := next(t, closed); reason != nil {
			t.Errorf("Closed with %v, want nil", reason)
		}
	})
}

func TestCloseWaitsForItsBoundAtMost(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		const bound = 30 * ms
		own := errors.New("own")
		for _, test := range []struct {
			name   string
			unsent int
			reason error
			pair   func(tb testing.TB) (int, halfCloser)
		}{
			{"tcp, never reads", 8 << 20, nil, tcpHalves},
			{"unix, never reads", 8 << 20, nil, unixHalves},
			{"never reads what the kernel has", 10, nil, unixHalves},
			{"never reads, and a reason", 8 << 20, own, tcpHalves},
			{"tcp, never closes", 0, nil, tcpHalves},
			{"never closes, and a reason", 0, own, unixHalves},
		} {
			l := newLoop(t, w)
			fd, _ := test.pair(t)
			var began time.Time
			h := &epoll.Handler{
				Limits: &epoll.Limits{Cap: 16 << 20, Close: bound},
				Opened: func(c *epoll.Conn) error {
					_, err := c.Write(make([]byte, test.unsent))
					must(t, err)
					began = l.Now()
					return c.Close(test.reason)
				},
			}
			closed := reasons(h)
			_, err := l.Attach(fd, h)
			must(t, err)
			stop := run(t, l)
			reason := next(t, closed)
			if since := time.Since(began); since < bound {
				t.Errorf("%s: Closed after %v, want %v at least", test.name, since, bound)
			}
			if got, want := errors.Is(reason, os.ErrDeadlineExceeded), test.unsent > 0; got != want {
				t.Errorf("%s: Closed with %v; that it is os.ErrDeadlineExceeded: %v, want %v", test.name, reason, got, want)
			}
			if !errors.Is(reason, test.reason) && test.reason != nil || test.unsent == 0 && reason != test.reason {
				t.Errorf("%s: Closed with %v, want %v in it", test.name, reason, test.reason)
			}
			stop()
		}
	})
}

func tcpHalves(tb testing.TB) (int, halfCloser) {
	tb.Helper()
	return tcpPair(tb)
}

func unixHalves(tb testing.TB) (int, halfCloser) {
	tb.Helper()
	return unixPeer(tb, unix.SOCK_STREAM)
}

func TestAbortResets(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		own, late := errors.New("own"), errors.New("late")
		for _, closing := range []bool{false, true} {
			l := newLoop(t, w)
			fd, peer := tcpPair(t)
			h := &epoll.Handler{
				Limits: &epoll.Limits{Cap: 16 << 20},
				Opened: func(c *epoll.Conn) error {
					_, err := c.Write(make([]byte, 8<<20))
					must(t, err)
					if closing { // whose reason stays
						must(t, c.Close(own))
						must(t, c.Abort(late))
					} else {
						must(t, c.Abort(own))
					}
					for call, err := range map[string]error{"Abort": c.Abort(nil), "Close": c.Close(nil), "CloseWrite": c.CloseWrite()} {
						if err != os.ErrClosed {
							t.Errorf("%s after Abort: %v, want os.ErrClosed", call, err)
						}
					}
					return nil
				},
			}
			closed := reasons(h)
			_, err := l.Attach(fd, h)
			must(t, err)
			stop := run(t, l)
			if reason := next(t, closed); reason != own {
				t.Errorf("Closed with %v, want the reason", reason)
			}
			if n, err := io.Copy(io.Discard, peer); !errors.Is(err, unix.ECONNRESET) {
				t.Errorf("the peer read %d bytes, %v; want ECONNRESET", n, err)
			}
			stop()
		}
	})
}

func TestReasonsOfThePeer(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		for name, test := range map[string]struct {
			end  func(peer *net.TCPConn)
			want error
		}{
			"close": {func(peer *net.TCPConn) { _ = peer.Close() }, io.EOF},
			"reset": {func(peer *net.TCPConn) { _, _ = peer.SetLinger(0), peer.Close() }, unix.ECONNRESET},
		} {
			l := newLoop(t, w)
			fd, peer := tcpPair(t)
			h := new(epoll.Handler)
			h.Data = func(c *epoll.Conn, p []byte) error { return echo(c, p) }
			closed := reasons(h)
			_, err := l.Attach(fd, h)
			must(t, err)
			stop := run(t, l)
			_, err = peer.Write([]byte("x"))
			must(t, err)
			_, err = io.ReadFull(peer, make([]byte, 1))
			must(t, err)
			test.end(peer)
			if reason := next(t, closed); !errors.Is(reason, test.want) {
				t.Errorf("%s: Closed with %v, want %v", name, reason, test.want)
			}
			stop()
		}
	})
}

// When Closed is called there is nothing left of the Conn: its descriptor is
// closed, and its ID finds nobody.
func TestClosedIsTheLastCall(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		var log []string
		h := calls(&log)
		h.Closed = func(c *epoll.Conn, _ error) {
			log = append(log, "Closed")
			if _, err := unix.FcntlInt(uintptr(c.FD()), unix.F_GETFD, 0); err != unix.EBADF {
				t.Errorf("the descriptor in Closed: %v, want EBADF", err)
			}
			if got := l.Conn(c.ID()); got != nil {
				t.Errorf("Conn(%d) in Closed = %v, want nil", c.ID(), got)
			}
			if n := l.Len(); n != 0 {
				t.Errorf("Len = %d in Closed, want 0", n)
			}
			for call, err := range map[string]error{"Close": c.Close(nil), "Abort": c.Abort(nil), "CloseWrite": c.CloseWrite()} {
				if err != os.ErrClosed {
					t.Errorf("%s in Closed: %v, want os.ErrClosed", call, err)
				}
			}
			c.Pause()
			c.Resume()
			rounds(l, 3, l.Stop)
		}
		_, err := l.Attach(fd, h)
		must(t, err)
		_, err = peer.Write([]byte("x"))
		must(t, err)
		must(t, peer.Close())
		h.EOF = func(c *epoll.Conn) error { log = append(log, "EOF"); return c.Close(nil) }
		runHere(t, l)
		if want := []string{"Opened", "Data x", "EOF", "Closed"}; !slices.Equal(log, want) {
			t.Errorf("calls %q, want %q", log, want)
		}
	})
}
