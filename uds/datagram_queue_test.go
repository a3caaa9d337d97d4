//go:build linux

package uds_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// queueRoom is how many messages the queue of a socket with a name takes.
func queueRoom(tb testing.TB) int {
	tb.Helper()
	text, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen")
	must(tb, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(tb, err)
	return n + 1
}

// fill sends to name until the queue is full, and returns how many it took.
func fill(tb testing.TB, name string) (n int) {
	tb.Helper()
	c := dial(tb, uds.Datagram, name)
	for {
		_, err := c.TrySend([]byte("x"))
		if errors.Is(err, uds.ErrFull) {
			return n
		}
		must(tb, err)
		n++
	}
}

// All senders share the room of a queue.
func TestDatagramQueue(t *testing.T) {
	leaktest.Check(t)
	name := abstract(t)
	server := named(t, name)
	want := queueRoom(t)
	if n := fill(t, name); n != want {
		t.Errorf("the queue took %d, want %d", n, want)
	}
	if n := fill(t, name); n != 0 {
		t.Errorf("the full queue took %d of another sender", n)
	}
	for range 3 {
		must(t, second(server.TryReceive(make([]byte, 1))))
	}
	if n := fill(t, name); n != 3 {
		t.Errorf("the queue took %d after 3 were received", n)
	}
}

// Whoever waits for room in a queue gets it when there is some, also if nothing of
// its own is in it.
func TestWaitForQueue(t *testing.T) {
	for how, send := range map[string]func(ctx context.Context, c *uds.Conn, name string) error{
		"Send": func(ctx context.Context, c *uds.Conn, _ string) error {
			return second(c.Send(ctx, []byte("last")))
		},
		"SendTo": func(ctx context.Context, c *uds.Conn, name string) error {
			return second(c.SendTo(ctx, []byte("last"), name))
		},
	} {
		t.Run(how, func(t *testing.T) {
			leaktest.Check(t)
			name := abstract(t)
			server := named(t, name)
			n := fill(t, name)
			client := dial(t, uds.Datagram, name)
			sent := waiting(t, func() error { return send(patient(t), client, name) })
			p := make([]byte, 10)
			for i := range n + 1 {
				size, err := server.Receive(patient(t), p)
				must(t, err)
				if last := string(p[:size]) == "last"; last != (i == n) {
					t.Errorf("message %d of %d is %q", i, n, p[:size])
				}
			}
			if err := result(t, sent); err != nil {
				t.Error(err)
			}
		})
	}
}

// Waiting for room ends with the context, by the deadline, and with Close, and it
// costs next to nothing.
func TestWaitForQueueEnds(t *testing.T) {
	leaktest.Check(t)
	name := abstract(t)
	named(t, name)
	fill(t, name)
	for how, c := range map[string]*uds.Conn{"Send": dial(t, uds.Datagram, name), "SendTo": named(t, abstract(t))} {
		send := func(ctx context.Context) error {
			if how == "Send" {
				return second(c.Send(ctx, []byte("x")))
			}
			return second(c.SendTo(ctx, []byte("x"), name))
		}
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, cause)
		before := processorTime(t)
		err := send(ctx)
		cancel()
		if used := processorTime(t) - before; used > 150*time.Millisecond {
			t.Errorf("%s: waiting for 300 ms took %v of processor time", how, used)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%s at the end of the context: %v, want the cause", how, err)
		}
		if err := send(ctx); !errors.Is(err, cause) {
			t.Errorf("%s with an ended context: %v, want the cause", how, err)
		}
		must(t, c.SetWriteDeadline(time.Now().Add(10*time.Millisecond)))
		if err := send(patient(t)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s at the deadline: %v, want os.ErrDeadlineExceeded", how, err)
		}
		must(t, c.SetWriteDeadline(time.Time{}))
		call := waiting(t, func() error { return send(patient(t)) })
		must(t, c.Close())
		if err := result(t, call); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s over Close: %v, want net.ErrClosed", how, err)
		}
	}
}

// processorTime returns what the process has used.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u unix.Rusage
	must(tb, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
