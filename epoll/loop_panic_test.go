//go:build linux

package epoll_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// panics runs l, and returns what comes out of Run.
func panics(tb testing.TB, l *epoll.Loop) (value any) {
	tb.Helper()
	defer func() { value = recover() }()
	err := l.Run(tb.Context())
	tb.Fatalf("Run = %v, want a panic", err)
	return nil
}

// attachBlowing has a function of a Handler panic.
func attachBlowing(tb testing.TB, l *epoll.Loop, set func(h *epoll.Handler)) {
	tb.Helper()
	fd, peer := unixPeer(tb, unix.SOCK_STREAM)
	h := new(epoll.Handler)
	set(h)
	_, err := l.Attach(fd, h)
	must(tb, err)
	_, err = peer.Write([]byte("x"))
	must(tb, err)
	must(tb, peer.CloseWrite())
}

func TestPanicGoesThroughRun(t *testing.T) {
	blow := func() { panic("blown") }
	for name, arm := range map[string]func(tb testing.TB, l *epoll.Loop){
		"post": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			must(tb, l.Post(blow))
		},
		"defer": func(_ testing.TB, l *epoll.Loop) { l.Defer(blow) },
		"timer": func(_ testing.TB, l *epoll.Loop) { l.After(0, blow) },
		"source": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			a, _ := streams(tb)
			_, err := l.Add(a, epoll.Writable, func(epoll.Events) { blow() })
			must(tb, err)
		},
		"Opened": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			attachBlowing(tb, l, func(h *epoll.Handler) { h.Opened = func(*epoll.Conn) error { blow(); return nil } })
		},
		"Data": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			attachBlowing(tb, l, func(h *epoll.Handler) { h.Data = func(*epoll.Conn, []byte) error { blow(); return nil } })
		},
		"EOF": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			attachBlowing(tb, l, func(h *epoll.Handler) { h.EOF = func(*epoll.Conn) error { blow(); return nil } })
		},
		"Closed": func(tb testing.TB, l *epoll.Loop) {
			tb.Helper()
			attachBlowing(tb, l, func(h *epoll.Handler) {
				h.Data = func(c *epoll.Conn, _ []byte) error { return c.Abort(nil) }
				h.Closed = func(*epoll.Conn, error) { blow() }
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				// Others that the Loop owns are released by Close, too.
				fd, _ := unixPeer(t, unix.SOCK_STREAM)
				h := new(epoll.Handler)
				closed := reasons(h)
				_, err := l.Attach(fd, h)
				must(t, err)
				arm(t, l)
				if got := panics(t, l); got != "blown" {
					t.Errorf("Run panicked with %v, want the callback's value", got)
				}
				if err := l.Close(); err != nil {
					t.Errorf("Close after a panic: %v", err)
				}
				if reason := next(t, closed); reason != epoll.ErrStopped {
					t.Errorf("Closed with %v, want ErrStopped", reason)
				}
				another := newLoop(t, w)
				must(t, another.Post(another.Stop))
				runHere(t, another)
			})
		})
	}
}
