//go:build linux

package epoll

import (
	"io"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/uds/leaktest"
)

// ways runs a test for each way of waiting, with a Loop on the real kernel that it
// drives round by round.
func ways(t *testing.T, test func(t *testing.T, l *Loop)) {
	t.Helper()
	for name, w := range map[string]Waiting{"park": Park, "block": Block} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			l, err := New(&Options{Waiting: w})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() }) // ErrStopped if it has run
			test(t, l)
		})
	}
}

// couple attaches one end of a socket pair, and returns the other.
func couple(tb testing.TB, l *Loop, h *Handler) (c *Conn, peer int) {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = unix.Close(fds[1]) }) // or the test has
	c, err = l.Attach(fds[0], h)
	if err != nil {
		tb.Fatal(err)
	}
	l.tidy()
	return c, fds[1]
}

// counted are how often a Loop has asked the kernel for something.
type counted struct{ reads, writes, changes int }

// count has l's system calls counted.
func count(l *Loop) *counted {
	n := new(counted)
	k := l.kernel
	l.kernel.read = func(fd int, p []byte) (int, unix.Errno) { n.reads++; return k.read(fd, p) }
	l.kernel.write = func(fd int, p []byte) (int, unix.Errno) { n.writes++; return k.write(fd, p) }
	l.kernel.writev = func(fd int, ps [][]byte) (int, unix.Errno) { n.writes++; return k.writev(fd, ps) }
	l.kernel.add = func(fd int, gen uint32, e Events) error { n.changes++; return k.add(fd, gen, e) }
	l.kernel.modify = func(fd int, gen uint32, e Events) error { n.changes++; return k.modify(fd, gen, e) }
	l.kernel.remove = func(fd int) error { n.changes++; return k.remove(fd) }
	return n
}

// ask writes a request, lets l work for a round, and reads into reply as much as
// there is.
func ask(tb testing.TB, l *Loop, peer int, request, reply []byte) int {
	tb.Helper()
	if n, err := unix.Write(peer, request); n != len(request) || err != nil {
		tb.Fatalf("write = %d, %v", n, err)
	}
	if err := l.round(); err != nil {
		tb.Fatalf("round: %v", err)
	}
	n, err := unix.Read(peer, reply)
	if err != nil {
		tb.Fatalf("read = %d, %v", n, err)
	}
	return n
}

// lines answers each line of what it gets by one of 64 bytes.
func lines() *Handler {
	answer := append(make([]byte, 63), '\n')
	codec := eof.Lines()
	return &Handler{
		Opened: func(c *Conn) error { c.State = &framing.Decoder{Splitter: codec}; return nil },
		Data: func(c *Conn, p []byte) error {
			for _, err := range c.State.(*framing.Decoder).Frames(p) {
				if err != nil {
					return err
				}
				if _, err := c.Write(answer); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// What a callback writes leaves in one system call, and a read that got all there
// is is not tried again: a batch of requests costs a read and a write.
func TestRepliesOfACallbackLeaveInOneWrite(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		_, peer := couple(t, l, lines())
		n := count(l)
		requests := slices.Repeat(append(make([]byte, 63), '\n'), 100)
		reply := make([]byte, 2*len(requests))
		for range 3 {
			*n = counted{}
			if got := ask(t, l, peer, requests, reply); got != len(requests) {
				t.Errorf("%d bytes of replies in a round, want %d", got, len(requests))
			}
			if want := (counted{reads: 1, writes: 1}); *n != want {
				t.Errorf("system calls of a round: %+v, want %+v", *n, want)
			}
		}
	})
}

// So does what a callback writes to another Conn than its own.
func TestWritesToAnotherConnLeaveTogether(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		other, far := couple(t, l, &Handler{})
		_, peer := couple(t, l, &Handler{Data: func(*Conn, []byte) error {
			for range 10 {
				_, _ = other.Write([]byte("x")) // shows in what arrives
			}
			return nil
		}})
		n := count(l)
		if _, err := unix.Write(peer, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := l.round(); err != nil {
			t.Fatal(err)
		}
		if got, err := unix.Read(far, make([]byte, 100)); got != 10 || err != nil || n.writes != 1 {
			t.Errorf("read = %d, %v after %d writes; want 10, <nil>, 1", got, err, n.writes)
		}
	})
}

func TestSetWithTheSameEventsMakesNoSystemCall(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		n := count(l)
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) }()
		s, err := l.Add(fds[0], Readable, func(Events) {})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range []Events{Readable, Readable, Writable, Writable, 0} {
			if err := s.Set(e); err != nil {
				t.Errorf("Set(%v) = %v", e, err)
			}
			if want := []int{1, 1, 2, 2, 3}[i]; n.changes != want {
				t.Errorf("%d system calls after Set(%v), want %d", n.changes, e, want)
			}
		}
	})
}

// A request costs no memory, whatever it makes use of.
func TestRequestsDoNotAllocate(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		h := lines()
		h.Limits = &Limits{Idle: time.Hour}
		timer := l.After(time.Hour, func() {})
		nothing := func() {}
		data := h.Data
		h.Data = func(c *Conn, p []byte) error {
			timer.Reset(time.Hour)
			l.Defer(nothing)
			if l.Conn(c.ID()) != c {
				return io.ErrUnexpectedEOF
			}
			return data(c, p)
		}
		_, peer := couple(t, l, h)
		request, reply := append(make([]byte, 63), '\n'), make([]byte, 100)
		n := testing.AllocsPerRun(1000, func() {
			if got := ask(t, l, peer, request, reply); got != 64 {
				t.Fatalf("the reply has %d bytes, want 64", got)
			}
		})
		if n != 0 {
			t.Errorf("%v allocations per request, want 0", n)
		}
	})
}

// Nor does a post. (One that wakes a blocked wait writes to an eventfd, and what
// is written is on the heap where the race detector looks on.)
func TestPostsDoNotAllocate(t *testing.T) {
	leaktest.Check(t)
	l, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	nothing := func() {}
	n := testing.AllocsPerRun(1000, func() {
		for range 10 {
			if err := l.Post(nothing); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.round(); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for ten posts, want 0", n)
	}
}

// What could not be sent goes with its Conn, however that ends.
func TestUnsentIsForgottenWithItsConn(t *testing.T) {
	ways(t, func(t *testing.T, l *Loop) {
		for name, end := range map[string]func(c *Conn) error{
			"Abort": func(c *Conn) error { return c.Abort(nil) },
			"Detach": func(c *Conn) error {
				fd, unsent, err := c.Detach()
				if len(unsent) == 0 {
					t.Error("everything was sent, so nothing is tested")
				}
				_ = unix.Close(fd)
				return err
			},
		} {
			c, _ := couple(t, l, &Handler{})
			for range 200 {
				if _, err := c.Write(make([]byte, 10_000)); err != nil {
					t.Fatal(err)
				}
			}
			if lent(l) != 1 {
				t.Errorf("%d chunks are in use by one who has much to send, want 1", lent(l))
			}
			if err := end(c); err != nil {
				t.Errorf("%s = %v", name, err)
			}
			l.tidy()
			if c.out != nil || lent(l) != 0 {
				t.Errorf("%d chunks are in use after %s, want none", lent(l), name)
			}
		}
	})
}

// lent returns how many Conns hold a chunk.
func lent(l *Loop) (n int) {
	for c := range l.conns.all() {
		if c.out != nil && cap(c.out.buf) >= chunk {
			n++
		}
	}
	return n
}
