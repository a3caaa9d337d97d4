//go:build linux

package epoll_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A tape is an endless stream of bytes of which each follows from its place, so
// that any part can be made and checked without the rest. It repeats itself after
// a prime number of bytes: what is lost, doubled or out of order by the size of a
// buffer does not fit.
type tape []byte

func newTape() tape {
	p := make(tape, 65521)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p) // never fails
	return p
}

// at returns some bytes from a place on, n at most.
func (p tape) at(place, n int) []byte {
	rest := p[place%len(p):]
	return rest[:min(n, len(rest))]
}

// send writes the first n bytes to w.
func (p tape) send(w io.Writer, n int) error {
	for place := 0; place < n; {
		k, err := w.Write(p.at(place, n-place))
		if place += k; err != nil {
			return fmt.Errorf("after %d bytes: %w", place, err)
		}
	}
	return nil
}

// A checker compares what is written to it with a tape.
type checker struct {
	tape  tape
	place int
}

func (k *checker) Write(p []byte) (int, error) {
	for i := 0; i < len(p); {
		want := k.tape.at(k.place, len(p)-i)
		if got := p[i : i+len(want)]; !bytes.Equal(got, want) {
			n := 0
			for got[n] == want[n] {
				n++
			}
			return i + n, fmt.Errorf("byte %d = %#x, want %#x", k.place+n, got[n], want[n])
		}
		i += len(want)
		k.place += len(want)
	}
	return len(p), nil
}

// want reads r to its end, which must be the end of the first n bytes, in
// pieces of a size.
func (p tape) want(tb testing.TB, r io.Reader, n, piece int) {
	tb.Helper()
	k := &checker{tape: p}
	_, err := io.CopyBuffer(k, struct{ io.Reader }{r}, make([]byte, piece))
	if err != nil || k.place != n {
		tb.Errorf("%d bytes came, then %v; want %d, then EOF", k.place, err, n)
	}
}

// patient makes c fail rather than wait for ever.
func patient(tb testing.TB, c net.Conn) {
	tb.Helper()
	must(tb, c.SetDeadline(time.Now().Add(patience)))
}

// stalled waits until c has more than so many bytes unsent and their number has
// stopped changing, and returns it.
func stalled(tb testing.TB, c *epoll.Conn, above int) int {
	tb.Helper()
	l := c.Loop()
	last := 0
	for same, deadline := 0, time.Now().Add(patience); same < 200; same++ {
		if time.Now().After(deadline) {
			tb.Fatalf("%d bytes unsent, and no end; want more than %d", last, above)
		}
		n := 0
		on(tb, l, func() { n = c.Unsent() })
		if n != last || n <= above {
			last, same = n, 0
		}
	}
	return last
}

// pairAt is unixPair where the first end gets a number that has just become free.
func pairAt(tb testing.TB, number int) (fd, peer int) {
	tb.Helper()
	a, b := unixPair(tb, unix.SOCK_STREAM)
	switch number {
	case a:
		return a, b
	case b:
		return b, a
	}
	n, err := unix.FcntlInt(uintptr(a), unix.F_DUPFD_CLOEXEC, number)
	must(tb, err)
	must(tb, unix.Close(a))
	if n != number {
		tb.Fatalf("the new descriptor is %d, want %d", n, number)
	}
	return n, b
}

// wantClosed wants Closed to have been called once, with a reason, on Loops that have
// been stopped.
func wantClosed(tb testing.TB, ch <-chan error, want error) {
	tb.Helper()
	if got := next(tb, ch); got != want {
		tb.Errorf("Closed with %v, want %v", got, want)
	}
	if n := len(ch); n != 0 {
		tb.Errorf("Closed %d times more", n)
	}
}
