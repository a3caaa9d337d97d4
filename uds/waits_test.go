//go:build linux

package uds_test

import (
	"context"
	"strings"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A wait is a call that waits, in a situation in which it goes on waiting.
type wait struct {
	name  string
	c     *uds.Conn
	sends bool // or receives
	call  func(ctx context.Context) error
	end   func() // of the situation: the call may succeed now
}

// waits returns the calls of a kind that wait, each on a pair of its own.
func waits(tb testing.TB, kind uds.Kind) []wait {
	tb.Helper()
	p := make([]byte, 1024)
	all := map[string]func(ctx context.Context, c *uds.Conn) error{
		"Receive": func(ctx context.Context, c *uds.Conn) error { return second(c.Receive(ctx, make([]byte, 10))) },
		"ReceiveFrom": func(ctx context.Context, c *uds.Conn) error {
			_, _, err := c.ReceiveFrom(ctx, make([]byte, 10))
			return err
		},
		"ReceiveFDs": func(ctx context.Context, c *uds.Conn) error {
			_, _, err := c.ReceiveFDs(ctx, make([]byte, 10), nil)
			return err
		},
		"Send":    func(ctx context.Context, c *uds.Conn) error { return second(c.Send(ctx, p)) },
		"Sendv":   func(ctx context.Context, c *uds.Conn) error { return second(c.Sendv(ctx, p[:1], p[1:])) },
		"SendFDs": func(ctx context.Context, c *uds.Conn) error { return second(c.SendFDs(ctx, p, 0)) },
	}
	if kind != uds.Stream {
		all["Size"] = func(ctx context.Context, c *uds.Conn) error { return second(c.Size(ctx)) }
	}
	var list []wait
	for name, call := range all {
		a, b := pair(tb, kind)
		w := wait{name: kind.String() + " " + name, c: a, call: func(ctx context.Context) error { return call(ctx, a) }}
		if w.sends = strings.HasPrefix(name, "Send"); w.sends {
			stuff(tb, a, p)
			w.end = func() { drain(tb, b) }
		} else {
			w.end = func() { must(tb, second(b.TrySend(p[:10]))) }
		}
		list = append(list, w)
	}
	return list
}

// eachWait calls test for each call that waits.
func eachWait(t *testing.T, test func(tb testing.TB, w wait)) {
	t.Helper()
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			for _, w := range waits(t, kind) {
				test(t, w)
				_ = w.c.Close() // the test may have
			}
		})
	}
}

// endedContext returns a context that errEnough has ended.
func endedContext(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithCancelCause(tb.Context())
	cancel(errEnough)
	return ctx
}
