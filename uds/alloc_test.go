//go:build linux

package uds_test

import (
	"context"
	"errors"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"golang.org/x/sys/unix"
)

// Calls allocate nothing, when they need not wait.
func TestAllocs(t *testing.T) {
	for _, kind := range kinds() {
		a, b := pair(t, kind)
		s, r := sockets(t, kind)
		ctx, p, buf := patient(t), make([]byte, 100), make([]byte, 200)
		for what, calls := range map[string][2]func() (int, error){
			"Send, Receive":                {func() (int, error) { return a.Send(ctx, p) }, func() (int, error) { return b.Receive(ctx, buf) }},
			"TrySend, TryReceive":          {func() (int, error) { return a.TrySend(p) }, func() (int, error) { return b.TryReceive(buf) }},
			"Sendv, Receive":               {func() (int, error) { return a.Sendv(ctx, p[:10], p[10:]) }, func() (int, error) { return b.Receive(ctx, buf) }},
			"TrySendv, TryReceive":         {func() (int, error) { return a.TrySendv(p[:10], p[10:]) }, func() (int, error) { return b.TryReceive(buf) }},
			"Write, Read":                  {func() (int, error) { return a.Write(p) }, func() (int, error) { return b.Read(buf) }},
			"TrySend, TryReceive, Socket":  {func() (int, error) { return s.TrySend(p) }, func() (int, error) { return r.TryReceive(buf) }},
			"TrySendv, TryReceive, Socket": {func() (int, error) { return s.TrySendv(p[:10], p[10:]) }, func() (int, error) { return r.TryReceive(buf) }},
		} {
			allocs := testing.AllocsPerRun(200, func() {
				for _, call := range calls {
					if n, err := call(); n != len(p) || err != nil {
						t.Errorf("%s: %s = %d, %v; want %d", kind, what, n, err, len(p))
					}
				}
			})
			if allocs != 0 {
				t.Errorf("%s: %s: %v allocations, want none", kind, what, allocs)
			}
		}
	}
}

// That nothing is there, or no room, costs nothing either.
func TestRefusalAllocs(t *testing.T) {
	for _, kind := range kinds() {
		for style, p := range ends(t, kind) {
			message := make([]byte, 1000)
			stuff(t, p[0], message)
			allocs := testing.AllocsPerRun(200, func() {
				if n, err := p[0].TrySend(message); n != 0 || !errors.Is(err, uds.ErrFull) {
					t.Errorf("%s %s: TrySend = %d, %v; want ErrFull", kind, style, n, err)
				}
				if n, err := p[0].TryReceive(message); n != 0 || !errors.Is(err, uds.ErrEmpty) {
					t.Errorf("%s %s: TryReceive = %d, %v; want ErrEmpty", kind, style, n, err)
				}
			})
			if allocs != 0 {
				t.Errorf("%s %s: %v allocations, want none", kind, style, allocs)
			}
		}
	}
}

// Waiting costs nothing, with one context again and again.
func TestWaitingAllocs(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		for what, ctx := range map[string]context.Context{
			"context":    patient(t),
			"no context": context.WithoutCancel(t.Context()),
		} {
			end := make(chan error, 1)
			own, cancel := context.WithCancel(ctx)
			go func() { end <- echo(own, b) }()
			message, buf := make([]byte, 100), make([]byte, 200)
			allocs := testing.AllocsPerRun(2000, func() {
				if _, err := a.Send(ctx, message); err != nil {
					t.Error(err)
				}
				if n, err := a.Receive(ctx, buf); n != len(message) || err != nil {
					t.Errorf("%s: Receive = %d, %v; want %d", kind, n, err, len(message))
				}
			})
			cancel()
			if err := result(t, end); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: the partner: %v, want context.Canceled", kind, err)
			}
			if allocs != 0 {
				t.Errorf("%s, %s: %v allocations in a round trip, want none", kind, what, allocs)
			}
		}
	}
}

// echo sends back what it receives.
func echo(ctx context.Context, c *uds.Conn) error {
	p := make([]byte, 200)
	for {
		n, err := c.Receive(ctx, p)
		if err != nil {
			return err
		}
		if _, err := c.Send(ctx, p[:n]); err != nil {
			return err
		}
	}
}

// Descriptors and credentials cost nothing either, but that the race detector has
// sync.Pool forget buffers.
func TestControlAllocs(t *testing.T) {
	leaktest.Check(t)
	for _, kind := range kinds() {
		a, b := pair(t, kind)
		must(t, b.PassCred())
		ctx, p, buf := patient(t), make([]byte, 100), make([]byte, 200)
		send, fds := []int{0, 1, 2}, make([]int, 3)
		allocs := testing.AllocsPerRun(200, func() {
			_, err := a.SendFDs(ctx, p, send...)
			must(t, err)
			_, n, err := b.ReceiveFDs(ctx, buf, fds)
			must(t, err)
			for _, fd := range fds[:n] {
				must(t, unix.Close(fd))
			}
			_, err = a.Send(ctx, p)
			must(t, err)
			_, _, err = b.ReceiveCred(ctx, buf)
			must(t, err)
		})
		if allocs > pooled {
			t.Errorf("%s: %v allocations, want %v", kind, allocs, pooled)
		}
	}
}
