//go:build linux

package epoll_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/plait-go/plait/epoll"
)

// Whatever a client does, it hears from an echo server on a Loop what it hears
// from one that is a goroutine with a net.Conn.
func TestEchoIsThatOfAGoroutine(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				for _, pair := range []func(tb testing.TB) (int, halfCloser){tcpHalves, unixHalves} {
					fd, peer := pair(t)
					want := converse(t, peer, seed, serveByGoroutine(t, fd))
					l := newLoop(t, w)
					fd, peer = pair(t)
					h := &epoll.Handler{Data: echo}
					closed := reasons(h)
					_, err := l.Attach(fd, h)
					must(t, err)
					stop := run(t, l)
					got := converse(t, peer, seed, closed)
					stop()
					if got != want {
						t.Errorf("%T: %d bytes, %v, then %v; from a goroutine %d, %v, %v", peer, got.size, got.err, got.reason, want.size, want.err, want.reason)
					}
				}
			})
		})
	}
}

// An outcome of a conversation is what a client has heard.
type outcome struct {
	sent, received [sha256.Size]byte
	size           int
	err, reason    error // of the client's reading, and of the server's end
}

// serveByGoroutine is an echo server for one client. What it ends with is sent to
// the channel.
func serveByGoroutine(tb testing.TB, fd int) <-chan error {
	tb.Helper()
	f := os.NewFile(uintptr(fd), "server")
	defer func() { _ = f.Close() }()
	c, err := net.FileConn(f)
	must(tb, err)
	ended := make(chan error, 1)
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := c.Read(buf)
			if err == nil {
				_, err = c.Write(buf[:n])
			}
			if err != nil {
				_ = c.Close() // tells the client
				ended <- err
				return
			}
		}
	}()
	return ended
}

// converse sends what follows from seed, in pieces that do, says that nothing
// follows, and reads meanwhile, with pauses, to the end.
func converse(tb testing.TB, peer halfCloser, seed uint64, ended <-chan error) outcome {
	tb.Helper()
	patient(tb, peer.(net.Conn))
	choice := rand.New(rand.NewPCG(seed, 0))
	message := make([]byte, []int{0, 1, 100, 64 << 10, 300 << 10, 1 << 20, 3 << 20, 5 << 20}[seed%8])
	_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(message) // never fails
	o := outcome{sent: sha256.Sum256(message)}
	sent := make(chan error, 1)
	pieces := rand.New(rand.NewPCG(seed, 1))
	go func() {
		for rest := message; len(rest) > 0; {
			n, err := peer.Write(rest[:min(1+pieces.IntN(100_000), len(rest))])
			if rest = rest[n:]; err != nil {
				sent <- err
				return
			}
			runtime.Gosched()
		}
		sent <- peer.CloseWrite()
	}()
	heard, buf := sha256.New(), make([]byte, 64<<10)
	for o.err == nil {
		if choice.IntN(20) == 0 {
			<-time.After(time.Duration(choice.IntN(2)) * time.Millisecond)
		}
		var n int
		n, o.err = peer.Read(buf[:1+choice.IntN(len(buf))])
		heard.Write(buf[:n])
		o.size += n
	}
	must(tb, next(tb, sent))
	must(tb, peer.Close())
	o.received, o.reason = [sha256.Size]byte(heard.Sum(nil)), next(tb, ended)
	if o.sent != o.received || o.size != len(message) {
		tb.Errorf("%d bytes came, then %v; want %d, as they were sent", o.size, o.err, len(message))
	}
	return o
}
