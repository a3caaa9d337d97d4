//go:build linux

package epoll_test

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A crowd is connections that ask now and then, beside one that floods.
type crowd struct {
	peers []int
	asked time.Time
	worst time.Duration
}

// ask has each of them send a byte.
func (w *crowd) ask(tb testing.TB) {
	tb.Helper()
	for _, fd := range w.peers {
		say(tb, fd)
	}
	w.asked = time.Now()
}

// wantAnswers wants each to have its answer by now.
func (w *crowd) wantAnswers(tb testing.TB) {
	tb.Helper()
	w.worst = max(w.worst, time.Since(w.asked))
	for i, fd := range w.peers {
		if n, err := unix.Read(fd, make([]byte, 2)); n != 1 || err != nil {
			tb.Errorf("connection %d of the crowd got %d bytes, %v; want 1, nil", i, n, err)
		}
	}
}

// Whoever has something to be read is served before a connection that floods has
// had two more turns, and a turn is no longer than Limits.Turn. Reactors that read
// until nothing is left, or megabytes at a time, starve the others.
func TestCrowdBesideAFlood(t *testing.T) {
	const size, turns = 100, 40
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		those := new(crowd)
		for range size {
			fd, peer := unixPair(t, unix.SOCK_STREAM)
			t.Cleanup(func() { _ = unix.Close(peer) })
			those.peers = append(those.peers, peer)
			_, err := l.Attach(fd, &epoll.Handler{Data: echo})
			must(t, err)
		}
		turn, read := 0, 0
		fd, flood := tcpPair(t)
		patient(t, flood)
		_, err := l.Attach(fd, &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
			if read += len(p); read > (turn+1)*epoll.DefaultTurn {
				t.Errorf("%d bytes were read in %d turns, want at most %d", read, turn+1, (turn+1)*epoll.DefaultTurn)
			}
			// The bytes of the crowd are there after this, in the next round at the
			// latest; the answers are after that.
			if turn%2 == 0 {
				if turn > 0 {
					those.wantAnswers(t)
				}
				those.ask(t)
			}
			if turn++; turn > turns {
				return c.Abort(nil)
			}
			return nil
		}, Closed: func(*epoll.Conn, error) { l.Stop() }})
		must(t, err)
		ended := make(chan struct{})
		go pour(flood, ended)
		runHere(t, l)
		_ = flood.Close() // ends pour
		<-ended
		t.Logf("beside %d KiB, answers took at most %v", read>>10, those.worst)
	})
}

// pour writes to c until that fails.
func pour(c net.Conn, ended chan<- struct{}) {
	defer close(ended)
	p := make([]byte, 1<<20)
	for {
		if _, err := c.Write(p); err != nil {
			return
		}
	}
}

// A callback that blocks delays all others, and loses none of them.
func TestClientsOfABlockedLoop(t *testing.T) {
	const clients, wait = 50, 100 * time.Millisecond
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		e := listenAt(t, "tcp")
		blocked, release := make(chan struct{}), make(chan struct{})
		first := true
		h := &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
			if first {
				first = false
				close(blocked)
				<-release
			}
			return echo(c, p)
		}}
		_, err := l.Listen(e.fd, h, nil)
		must(t, err)
		run(t, l)
		blocker := e.dial(t)
		says(t, blocker, "first")
		next(t, blocked)
		released := time.After(wait)
		var all []net.Conn
		for range clients {
			c := e.dial(t)
			says(t, c, "hello")
			all = append(all, c)
		}
		next(t, released)
		close(release)
		hears(t, blocker, "first")
		for _, c := range all {
			hears(t, c, "hello")
		}
	})
}
