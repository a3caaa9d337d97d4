//go:build linux

package uds_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Descriptors that nobody asked for are closed, all of them, and the message is
// there. The kernel aligns: where one has room, a second one has, too.
func TestFDSurplus(t *testing.T) {
	eachPair(t, func(t *testing.T, _ uds.Kind, a, b passer) {
		t.Helper()
		files := open(t, uds.MaxFDs)
		before := leaktest.FDs(t)
		for _, accept := range []int{0, 1, 2, 3, 4} {
			for _, count := range []int{1, 2, 3, 4, 5, 6, uds.MaxFDs} {
				if count <= accept {
					continue
				}
				must(t, second(a.TrySendFDs([]byte("hello"), files[:count]...)))
				must(t, second(a.TrySendFDs([]byte("again"))))
				p, fds := make([]byte, 5), []int{-1, -1, -1, -1}
				n, nfds, err := b.TryReceiveFDs(p, fds[:accept])
				if string(p[:n]) != "hello" || nfds != 0 || !errors.Is(err, uds.ErrControl) {
					t.Errorf("ReceiveFDs(%d) of %d = %q, %d, %v; want hello, 0, ErrControl", accept, count, p[:n], nfds, err)
				}
				for _, fd := range fds {
					if fd != -1 {
						t.Errorf("ReceiveFDs(%d) of %d left descriptor %d", accept, count, fd)
					}
				}
				if now := leaktest.FDs(t); len(now) != len(before) {
					t.Fatalf("ReceiveFDs(%d) of %d: %d descriptors open, %d before", accept, count, len(now), len(before))
				}
				if n, nfds, err := b.TryReceiveFDs(p, fds); string(p[:n]) != "again" || nfds != 0 || err != nil {
					t.Errorf("next message: %q, %d, %v", p[:n], nfds, err)
				}
			}
		}
	})
}

// A message that was cut brings no descriptors.
func TestFDsOfTruncatedMessage(t *testing.T) {
	eachPair(t, func(t *testing.T, kind uds.Kind, a, b passer) {
		t.Helper()
		if kind == uds.Stream {
			return // it cuts nothing
		}
		must(t, second(a.TrySendFDs([]byte("hello"), open(t, 3)...)))
		must(t, second(a.TrySendFDs([]byte("again"), open(t, 1)...)))
		before := leaktest.FDs(t)
		p, fds := make([]byte, 2), make([]int, 5)
		n, nfds, err := b.TryReceiveFDs(p, fds)
		var truncated *uds.TruncatedError
		if string(p[:n]) != "he" || nfds != 0 || !errors.As(err, &truncated) || truncated.Size != 5 {
			t.Errorf("ReceiveFDs = %q, %d, %v; want he, 0, a TruncatedError of 5 bytes", p[:n], nfds, err)
		}
		if now := leaktest.FDs(t); len(now) != len(before) {
			t.Errorf("%d descriptors open, %d before", len(now), len(before))
		}
		n, nfds, err = b.TryReceiveFDs(make([]byte, 5), fds)
		if n != 5 || nfds != 1 || err != nil {
			t.Fatalf("next ReceiveFDs = %d, %d, %v; want 5, 1", n, nfds, err)
		}
		closeFDs(t, fds[:nfds])
	})
}

// The verbs without descriptors drop those that come.
func TestFDsDropped(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			a, b := pair(t, kind)
			ctx := patient(t)
			files := open(t, 3)
			before := leaktest.FDs(t)
			for what, receive := range map[string]func(p []byte) (int, error){
				"Receive":    func(p []byte) (int, error) { return b.Receive(ctx, p) },
				"TryReceive": b.TryReceive,
				"Read":       b.Read,
				"ReceiveFrom": func(p []byte) (int, error) {
					n, _, err := b.ReceiveFrom(ctx, p)
					return n, err
				},
				"Size and Receive": func(p []byte) (int, error) {
					if _, err := b.Size(ctx); err != nil && !errors.Is(err, errors.ErrUnsupported) {
						return 0, err
					}
					return b.Receive(ctx, p)
				},
			} {
				must(t, second(a.SendFDs(ctx, []byte("hello"), files...)))
				p := make([]byte, 10)
				if n, err := receive(p); string(p[:n]) != "hello" || err != nil {
					t.Errorf("%s = %q, %v; want hello", what, p[:n], err)
				}
				if now := leaktest.FDs(t); len(now) != len(before) {
					t.Fatalf("%s: %d descriptors open, %d before", what, len(now), len(before))
				}
			}
		})
	}
}

// What is in a queue that nobody reads any more is closed.
func TestFDsInClosedQueue(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		var pipe [2]int
		must(t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
		must(t, second(a.SendFDs(patient(t), []byte("x"), pipe[1])))
		must(t, unix.Close(pipe[1]))
		must(t, errors.Join(b.Close(), a.Close()))
		if n, err := unix.Read(pipe[0], make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("%s: Read of the pipe whose other end was in the queue = %d, %v; want its end", kind, n, err)
		}
		must(t, unix.Close(pipe[0]))
	}
}

// At the end no descriptors come, and none are left of a control buffer.
func TestFDsAtEnd(t *testing.T) {
	eachPair(t, func(t *testing.T, kind uds.Kind, a, b passer) {
		t.Helper()
		if kind == uds.Datagram {
			return // it has no end
		}
		must(t, a.Close())
		if n, nfds, err := b.TryReceiveFDs(make([]byte, 1), make([]int, 5)); n != 0 || nfds != 0 || err != io.EOF {
			t.Errorf("ReceiveFDs = %d, %d, %v; want io.EOF", n, nfds, err)
		}
		if n, err := b.TrySendFDs([]byte("x"), open(t, 1)...); n != 0 || !errors.Is(err, uds.ErrPeerClosed) {
			t.Errorf("SendFDs = %d, %v; want ErrPeerClosed", n, err)
		}
	})
}

// At the limit of open files the kernel delivers some, or none. None are kept.
func TestFDsAtLimit(t *testing.T) {
	leaktest.Check(t)
	c := startChild(t, "receive at the limit", nil)
	for range kinds() {
		c.expect(t, "nothing leaked")
	}
}

// receiveAtLimit is a child that receives descriptors for which it has no room.
func receiveAtLimit([]string) error {
	for _, kind := range kinds() {
		if err := receiveKindAtLimit(kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func receiveKindAtLimit(kind uds.Kind) error {
	a, b, err := uds.Pair(kind)
	if err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	files := make([]int, 200) // the same file
	for _, free := range []int{0, 1, 4} {
		if _, err := a.SendFDs(ctx, []byte("hello"), files...); err != nil {
			return err
		}
		low, err := lower()
		if err != nil {
			return err
		}
		p, fds := make([]byte, 10), make([]int, uds.MaxFDs)
		if free > 0 {
			err = low.allow(free)
		}
		if err != nil {
			return err
		}
		before := freeFDs()
		n, nfds, err := b.ReceiveFDs(ctx, p, fds)
		if string(p[:n]) != "hello" || nfds != 0 || !errors.Is(err, uds.ErrControl) {
			return fmt.Errorf("ReceiveFDs with room for %d = %q, %d, %w; want hello, 0, ErrControl", free, p[:n], nfds, err)
		}
		// The race detector opens a file now and then.
		for start := time.Now(); freeFDs() != before; {
			if time.Since(start) > patience {
				return fmt.Errorf("after ReceiveFDs %d descriptors can be opened, %d before", freeFDs(), before)
			}
		}
		if err := low.raise(); err != nil {
			return err
		}
	}
	return errors.Join(a.Close(), b.Close(), say("nothing leaked"))
}

// freeFDs returns how many descriptors can be opened.
func freeFDs() int {
	var fds []int
	for fd, err := unix.Dup(0); err == nil; fd, err = unix.Dup(0) {
		fds = append(fds, fd)
	}
	for _, fd := range fds {
		_ = unix.Close(fd) // a duplicate
	}
	return len(fds)
}

// Without privileges there are as many on their way as a process may have open.
func TestFDsInFlight(t *testing.T) {
	leaktest.Check(t)
	c := startChild(t, "send too many", nil)
	c.expect(t, "stopped")
}

// sendTooMany is a child without rights that sends and does not receive.
func sendTooMany([]string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	a, b, err := uds.Pair(uds.SeqPacket)
	if err != nil {
		return err
	}
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: before.Max}); err != nil {
		return err
	}
	sent := 0
	for ; err == nil && sent < 100; sent++ {
		_, err = a.TrySendFDs([]byte("x"), 0)
	}
	// The count is of all processes of the user.
	if sent > 66 || !errors.Is(err, unix.ETOOMANYREFS) {
		return fmt.Errorf("TrySendFDs %d = %w, want ETOOMANYREFS after 65", sent, err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		return err
	}
	for range sent - 1 { // all but the one that failed
		if n, err := b.TryReceive(make([]byte, 1)); n != 1 || err != nil {
			return fmt.Errorf("TryReceive = %d, %w", n, err)
		}
	}
	if n, err := b.TryReceive(make([]byte, 1)); !errors.Is(err, uds.ErrEmpty) {
		return fmt.Errorf("TryReceive = %d, %w; want ErrEmpty", n, err)
	}
	if _, err := a.TrySendFDs([]byte("x"), 0); err != nil {
		return fmt.Errorf("TrySendFDs with nothing on its way: %w", err)
	}
	return errors.Join(a.Close(), b.Close(), say("stopped"))
}
