//go:build linux

package epoll_test

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// What comes while reading is paused is read after it, and then the end.
func TestPauseKeepsEverything(t *testing.T) {
	for name, test := range map[string]struct {
		pair func(tb testing.TB) (int, halfCloser)
		end  func(peer halfCloser) error
	}{
		"tcp, half":  {tcpHalves, halfCloser.CloseWrite},
		"tcp, full":  {tcpHalves, halfCloser.Close},
		"unix, half": {unixHalves, halfCloser.CloseWrite},
		"unix, full": {unixHalves, halfCloser.Close}, // a hangup, which cannot be masked
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				fd, peer := test.pair(t)
				var log []string
				h := calls(&log)
				h.EOF = nil
				h.Opened = func(c *epoll.Conn) error {
					log = append(log, "Opened")
					c.Pause()
					_, err := peer.Write([]byte("unread"))
					must(t, err)
					must(t, test.end(peer))
					rounds(l, 5, func() { log = append(log, "Resume"); c.Resume() })
					return nil
				}
				closed := h.Closed
				h.Closed = func(c *epoll.Conn, reason error) { closed(c, reason); l.Stop() }
				_, err := l.Attach(fd, h)
				must(t, err)
				go func() { _, _ = io.Copy(io.Discard, peer); _ = peer.Close() }() // ends with the Conn
				runHere(t, l)
				if want := []string{"Opened", "Resume", "Data unread", "Closed EOF"}; !slices.Equal(log, want) {
					t.Errorf("calls %q, want %q", log, want)
				}
			})
		})
	}
}

// Pause in Data holds back what is in the kernel already.
func TestPauseInData(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		paused, n := false, 0
		_, err := l.Attach(fd, &epoll.Handler{
			Limits: &epoll.Limits{Turn: 4},
			Data: func(c *epoll.Conn, p []byte) error {
				if paused {
					t.Errorf("Data got %q while reading is paused", p)
				}
				if n += len(p); n == 20 {
					l.Stop()
				}
				c.Pause()
				paused = true
				rounds(l, 3, func() { paused = false; c.Resume() })
				return nil
			},
		})
		must(t, err)
		_, err = peer.Write(make([]byte, 20))
		must(t, err)
		runHere(t, l)
	})
}

func TestCloseWhileReadingIsPaused(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		h := &epoll.Handler{Opened: func(c *epoll.Conn) error {
			c.Pause()
			_, err := c.Write([]byte("goodbye"))
			must(t, err)
			return c.Close(nil)
		}}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		readAll(t, peer, []byte("goodbye"))
		must(t, peer.Close())
		if reason := next(t, closed); reason != nil {
			t.Errorf("Closed with %v, want nil", reason)
		}
	})
}

// Above the high-water mark nothing is read, so whoever answers what it reads never
// has more unsent than the marks say; below the low one reading goes on.
func TestReadingStopsAboveTheHighWaterMark(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		const high, low, turn = 40 << 10, 10 << 10, 8 << 10
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, low/4)) // so that little is sent at a time
		full := make(chan struct{}, 1)
		drained, above := 0, false
		_, err := l.Attach(fd, &epoll.Handler{
			Limits: &epoll.Limits{HighWater: high, LowWater: low, Turn: turn, Frame: 1},
			Data: func(c *epoll.Conn, p []byte) error {
				if above {
					t.Errorf("Data is called with %d bytes unsent, before Drained", c.Unsent())
				}
				err := echo(c, p)
				if n := c.Unsent(); n > high {
					above = true
					select {
					case full <- struct{}{}:
					default:
					}
				}
				return err
			},
			Drained: func(c *epoll.Conn) error {
				if n := c.Unsent(); n > low {
					t.Errorf("Drained is called with %d bytes unsent, want %d at most", n, low)
				}
				drained++
				above = false
				return nil
			},
		})
		must(t, err)
		stop := run(t, l)
		sent := pattern(3 << 20)
		go func() {
			_, _ = peer.Write(sent) // what is missing is noticed below
			_ = peer.CloseWrite()
		}()
		next(t, full)
		readAll(t, peer, sent)
		stop()
		if drained == 0 {
			t.Error("Drained was not called")
		}
	})
}

// One who answers with what it got never meets its own cap, whatever the sizes of
// frames and however long the peer does not read.
func TestEchoOfFramesNeverSeesErrFull(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		codec := header(t)
		var sent []byte
		for _, n := range []int{2<<20 - 4, 200 << 10, 60 << 10, 2<<20 - 4, 255 << 10, 2<<20 - 4, 1, 2<<20 - 4} {
			sent = append(sent, frame(t, codec, pattern(n))...)
		}
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		full := make(chan struct{}, 1)
		h := framedEcho(codec)
		data := h.Data
		h.Data = func(c *epoll.Conn, p []byte) error {
			if err := data(c, p); err != nil {
				return err
			}
			if c.Unsent() > epoll.DefaultHighWater && len(full) == 0 {
				full <- struct{}{}
			}
			return nil
		}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		go func() {
			_, _ = peer.Write(sent) // what is missing is noticed below
			_ = peer.CloseWrite()
		}()
		next(t, full)
		got, err := io.ReadAll(peer)
		if !bytes.Equal(got, sent) || err != nil {
			t.Errorf("%d bytes came back, %v; want %d, the same", len(got), err, len(sent))
		}
		if reason := next(t, closed); reason != io.EOF {
			t.Errorf("Closed with %v, want io.EOF", reason)
		}
	})
}
