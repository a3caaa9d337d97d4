//go:build linux

package epoll_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// header is a length of four bytes, before as many.
func header(tb testing.TB) *lengthfield.Codec {
	tb.Helper()
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	must(tb, err)
	return codec
}

// frame returns a frame with a payload.
func frame(tb testing.TB, codec *lengthfield.Codec, payload []byte) []byte {
	tb.Helper()
	f, err := codec.AppendFrame(nil, payload)
	must(tb, err)
	return f
}

// framedEcho answers each frame with the same.
func framedEcho(codec *lengthfield.Codec) *epoll.Handler {
	return &epoll.Handler{
		Opened: func(c *epoll.Conn) error {
			c.State = &framing.Decoder{Splitter: codec, Max: epoll.DefaultFrame}
			return nil
		},
		Data: func(c *epoll.Conn, p []byte) error {
			for f, err := range c.State.(*framing.Decoder).Frames(p) {
				if err != nil {
					return err
				}
				if _, err := c.Write(f); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// The decoder in State keeps what is not yet a frame, wherever the stream was cut.
func TestFramesWhereverTheyAreCut(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		codec := header(t)
		stream := slices.Concat(frame(t, codec, []byte("first")), frame(t, codec, nil), frame(t, codec, []byte("the third")))
		l := newLoop(t, w)
		run(t, l)
		for cut := 1; cut < len(stream); cut++ {
			fd, peer := unixPeer(t, unix.SOCK_STREAM)
			seen := make(chan int)
			var frames []string
			h := &epoll.Handler{
				Opened: func(c *epoll.Conn) error { c.State = framing.NewDecoder(codec); return nil },
				Data: func(c *epoll.Conn, p []byte) error {
					for f, err := range c.State.(*framing.Decoder).Frames(p) {
						if err != nil {
							return err
						}
						frames = append(frames, string(f[4:]))
					}
					seen <- len(p)
					return nil
				},
			}
			closed := reasons(h)
			on(t, l, func() {
				_, err := l.Attach(fd, h)
				must(t, err)
			})
			for _, part := range [][]byte{stream[:cut], stream[cut:]} {
				_, err := peer.Write(part)
				must(t, err)
				if n := next(t, seen); n != len(part) {
					t.Fatalf("Data got %d bytes, want %d", n, len(part))
				}
			}
			must(t, peer.Close())
			if reason := next(t, closed); reason != io.EOF {
				t.Errorf("Closed with %v, want io.EOF", reason)
			}
			if want := []string{"first", "", "the third"}; !slices.Equal(frames, want) {
				t.Errorf("cut at %d: frames %q, want %q", cut, frames, want)
			}
		}
	})
}

func TestNoDataAfterClose(t *testing.T) {
	for name, end := range map[string]func(c *epoll.Conn) error{
		"Close": func(c *epoll.Conn) error { return c.Close(nil) },
		"Abort": func(c *epoll.Conn) error { return c.Abort(nil) },
		"error": func(*epoll.Conn) error { return errors.New("enough") },
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				fd, peer := unixPeer(t, unix.SOCK_STREAM)
				var log []string
				_, err := l.Attach(fd, &epoll.Handler{
					Data: func(c *epoll.Conn, p []byte) error {
						log = append(log, fmt.Sprint("Data ", len(p)))
						return end(c)
					},
					EOF:    func(*epoll.Conn) error { log = append(log, "EOF"); return nil },
					Closed: func(*epoll.Conn, error) { log = append(log, "Closed"); l.Stop() },
					Limits: &epoll.Limits{Turn: 1000},
				})
				must(t, err)
				_, err = peer.Write(make([]byte, 50_000))
				must(t, err)
				must(t, peer.CloseWrite())
				runHere(t, l)
				if want := []string{"Data 1000", "Closed"}; !slices.Equal(log, want) {
					t.Errorf("calls %q, want %q", log, want)
				}
			})
		})
	}
}

// What was read lies in the Loop's buffer: it is not there any more when somebody
// else's Data has been called, and what is appended to it does not write there.
func TestDataIsValidUntilItReturns(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		var kept []byte
		seen := make(chan string)
		h := &epoll.Handler{Data: func(_ *epoll.Conn, p []byte) error {
			if cap(p) != len(p) {
				t.Errorf("a slice of %d bytes has room for %d", len(p), cap(p))
			}
			if kept == nil {
				kept = p
			}
			seen <- string(kept)
			return nil
		}}
		run(t, l)
		for _, said := range []string{"first", "other"} {
			fd, peer := unixPeer(t, unix.SOCK_STREAM)
			on(t, l, func() {
				_, err := l.Attach(fd, h)
				must(t, err)
			})
			_, err := peer.Write([]byte(said))
			must(t, err)
			if got := next(t, seen); got != said {
				t.Errorf("the bytes of the first Data are %q, want those of this one, %q", got, said)
			}
		}
	})
}

// calls notes the calls of a Handler in order.
func calls(log *[]string) *epoll.Handler {
	note := func(name string) { *log = append(*log, name) }
	return &epoll.Handler{
		Opened: func(*epoll.Conn) error { note("Opened"); return nil },
		Data:   func(_ *epoll.Conn, p []byte) error { note("Data " + string(p)); return nil },
		EOF:    func(*epoll.Conn) error { note("EOF"); return nil },
		Closed: func(_ *epoll.Conn, reason error) { note(fmt.Sprint("Closed ", reason)) },
	}
}

// After the peer's end the Conn can still write, and is closed with io.EOF once
// both have said that nothing follows.
func TestHalfCloseByThePeer(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		for name, pair := range map[string]func(tb testing.TB) (int, halfCloser){
			"tcp":  tcpHalves,
			"unix": unixHalves,
		} {
			l := newLoop(t, w)
			fd, peer := pair(t)
			var log []string
			h := calls(&log)
			ended := make(chan *epoll.Conn, 1)
			h.EOF = func(c *epoll.Conn) error { log = append(log, "EOF"); ended <- c; return nil }
			_, err := l.Attach(fd, h)
			must(t, err)
			stop := run(t, l)
			_, err = peer.Write([]byte("request"))
			must(t, err)
			must(t, peer.CloseWrite())
			c := next(t, ended)
			on(t, l, func() { // another round, when nothing is read any more
				_, err := c.Write([]byte("late reply"))
				must(t, err)
				must(t, c.CloseWrite())
				if err := c.CloseWrite(); err == nil {
					t.Error("a second CloseWrite is no error")
				}
			})
			if got, err := io.ReadAll(peer); string(got) != "late reply" || err != nil {
				t.Errorf("%s: the peer read %q, %v; want the reply", name, got, err)
			}
			on(t, l, func() {})
			stop()
			if want := []string{"Opened", "Data request", "EOF", "Closed EOF"}; !slices.Equal(log, want) {
				t.Errorf("%s: calls %q, want %q", name, log, want)
			}
		}
	})
}

type halfCloser interface {
	io.ReadWriteCloser
	CloseWrite() error
}

func TestErrorOfAHandlerClosesItsConn(t *testing.T) {
	own := errors.New("own")
	for name, set := range map[string]func(h *epoll.Handler, fn func(c *epoll.Conn) error){
		"Opened": func(h *epoll.Handler, fn func(c *epoll.Conn) error) { h.Opened = fn },
		"Data": func(h *epoll.Handler, fn func(c *epoll.Conn) error) {
			h.Data = func(c *epoll.Conn, _ []byte) error { return fn(c) }
		},
		"EOF": func(h *epoll.Handler, fn func(c *epoll.Conn) error) { h.EOF = fn },
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l := newLoop(t, w)
				fd, peer := unixPeer(t, unix.SOCK_STREAM)
				h := new(epoll.Handler)
				closed := reasons(h)
				set(h, func(c *epoll.Conn) error {
					_, err := c.Write([]byte("goodbye"))
					must(t, err)
					return own
				})
				_, err := l.Attach(fd, h)
				must(t, err)
				run(t, l)
				_, err = peer.Write([]byte("x"))
				must(t, err)
				must(t, peer.CloseWrite())
				if got, err := io.ReadAll(peer); string(got) != "goodbye" || err != nil {
					t.Errorf("the peer read %q, %v; want what was written before the error", got, err)
				}
				if reason := next(t, closed); reason != own {
					t.Errorf("Closed with %v, want the error", reason)
				}
			})
		})
	}
}
