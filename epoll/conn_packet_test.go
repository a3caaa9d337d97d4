//go:build linux

package epoll_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

func TestPacketsKeepTheirBoundaries(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_SEQPACKET)
		h := &epoll.Handler{
			Data: func(c *epoll.Conn, p []byte) error {
				_, err := c.Writev([]byte("you said "), p)
				return err
			},
		}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		for i := range 50 {
			_, err := fmt.Fprintf(peer, "packet %d", i)
			must(t, err)
		}
		for i := range 50 {
			p := make([]byte, 100)
			n, err := peer.Read(p)
			if want := fmt.Sprintf("you said packet %d", i); string(p[:n]) != want || err != nil {
				t.Errorf("packet %d: %q, %v; want %q", i, p[:n], err, want)
			}
		}
		must(t, peer.Close())
		if reason := next(t, closed); reason != io.EOF {
			t.Errorf("Closed with %v, want io.EOF", reason)
		}
	})
}

func TestPacketThatCannotBeSent(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_SEQPACKET)
		const buffer = 8192 // of which 32 bytes are the kernel's
		must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, buffer/2))
		_, err := l.Attach(fd, &epoll.Handler{Opened: func(c *epoll.Conn) error {
			refuse := func(p []byte, want error) {
				before := c.Unsent()
				if n, err := c.Write(p); n != 0 || !errors.Is(err, want) || c.Unsent() != before {
					t.Errorf("Write(%d bytes) = %d, %v, and %d more unsent; want 0, %v, 0", len(p), n, err, c.Unsent()-before, want)
				}
			}
			refuse(nil, os.ErrInvalid)
			refuse(make([]byte, buffer), unix.EMSGSIZE)
			if n, err := c.Writev(nil, []byte{}); n != 0 || !errors.Is(err, os.ErrInvalid) {
				t.Errorf("Writev of nothing = %d, %v; want 0, os.ErrInvalid", n, err)
			}
			sent := 0
			for c.Unsent() == 0 { // until the kernel takes no more
				_, err := c.Write([]byte("good"))
				must(t, err)
				sent++
			}
			refuse(nil, os.ErrInvalid)
			refuse(make([]byte, buffer), unix.EMSGSIZE)
			go func() {
				for p := make([]byte, 2*buffer); ; {
					n, err := peer.Read(p)
					if n == 0 || err != nil {
						break
					}
					if sent--; string(p[:n]) != "good" {
						t.Errorf("the peer got %d bytes, want those that were taken only", n)
					}
				}
				if sent != 0 {
					t.Errorf("%d packets are missing", sent)
				}
				_ = peer.Close()
			}()
			return c.Close(nil)
		}, Closed: func(_ *epoll.Conn, reason error) {
			if reason != nil {
				t.Errorf("Closed with %v, want nil", reason)
			}
			l.Stop()
		}})
		must(t, err)
		runHere(t, l)
	})
}

// Packets that have to wait, and those behind them, arrive one by one and in order.
func TestPacketsThatWaitStayInOrder(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_SEQPACKET)
		const packets = 600
		written := make(chan struct{})
		packet := func(i int) []byte { return append(fmt.Appendf(nil, "%d:", i), make([]byte, i*3)...) }
		_, err := l.Attach(fd, &epoll.Handler{Opened: func(c *epoll.Conn) error {
			for i := range packets {
				if n, err := c.Write(packet(i)); n != len(packet(i)) || err != nil {
					t.Errorf("packet %d: Write = %d, %v; want all", i, n, err)
				}
			}
			if c.Unsent() == 0 {
				t.Error("Unsent = 0, so no packet had to wait")
			}
			close(written)
			return c.Close(nil)
		}})
		must(t, err)
		run(t, l)
		next(t, written)
		buf := make([]byte, 64<<10)
		for i := range packets {
			n, err := peer.Read(buf)
			if !bytes.Equal(buf[:n], packet(i)) || err != nil {
				t.Fatalf("packet %d: %d bytes, %v; want %d, as they were written", i, n, err, len(packet(i)))
			}
		}
		if n, err := peer.Read(buf); n != 0 || err != nil && err != io.EOF {
			t.Errorf("behind the last packet: %d, %v; want the end", n, err)
		}
		must(t, peer.Close())
	})
}

// A packet that the Loop's buffer does not hold ends its Conn; nothing of it is
// delivered.
func TestPacketThatIsTooLongToRead(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_SEQPACKET)
		must(t, peer.SetWriteBuffer(1<<20))
		var got []int
		h := &epoll.Handler{Data: func(_ *epoll.Conn, p []byte) error { got = append(got, len(p)); return nil }}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		run(t, l)
		for _, n := range []int{epoll.DefaultTurn, epoll.DefaultTurn + 1} {
			_, err := peer.Write(make([]byte, n))
			must(t, err)
		}
		if reason := next(t, closed); !errors.Is(reason, unix.EMSGSIZE) {
			t.Errorf("Closed with %v, want EMSGSIZE", reason)
		}
		if len(got) != 1 || got[0] != epoll.DefaultTurn {
			t.Errorf("Data got packets of %v bytes, want one of %d", got, epoll.DefaultTurn)
		}
	})
}
