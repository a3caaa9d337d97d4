//go:build linux

package uds_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A call that has returned holds nothing of the caller's memory, whether it waited or
// not.
func TestNothingRetained(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		s, r := sockets(t, kind)
		message := make([]byte, 1024)
		for what, call := range map[string]func(p []byte) error{
			"Send": func(p []byte) error {
				stuff(t, a, message)
				sent := waiting(t, func() error { return second(a.Send(patient(t), p)) })
				drain(t, b)
				return result(t, sent)
			},
			"Sendv": func(p []byte) error {
				stuff(t, a, message)
				sent := waiting(t, func() error { return second(a.Sendv(patient(t), p[:10], p[10:])) })
				drain(t, b)
				return result(t, sent)
			},
			"Receive": func(p []byte) error {
				received := waiting(t, func() error { return second(b.Receive(patient(t), p)) })
				must(t, second(a.Send(patient(t), message[:10])))
				return result(t, received)
			},
			"TrySend":    func(p []byte) error { return second(a.TrySend(p)) },
			"TrySendv":   func(p []byte) error { return second(a.TrySendv(p, p)) },
			"TrySendFDs": func(p []byte) error { return second(a.TrySendFDs(p, 0)) },
			"TryReceive": func(p []byte) error { drain(t, b); _, _ = b.TryReceive(p); return nil },
			"socket": func(p []byte) error {
				must(t, second(s.TrySendv(p, p)))
				return second(r.TryReceive(make([]byte, 4096)))
			},
		} {
			p := new([1024]byte)
			held := weak.Make(p)
			must(t, call(p[:]))
			p = nil
			for range 3 {
				runtime.GC()
			}
			if held.Value() != nil {
				t.Errorf("%s: %s holds its bytes", kind, what)
			}
			drain(t, b)
		}
		runtime.KeepAlive([]any{a, b, s, r})
	}
}

// An ended connection holds nothing of the contexts that it met, and they nothing of
// it.
func TestContextNotRetained(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		a, b, err := uds.Pair(kind)
		must(t, err)
		ctx := patient(t)
		call := waiting(t, func() error { return second(b.Receive(ctx, make([]byte, 1))) })
		must(t, second(a.Send(ctx, []byte("x"))))
		must(t, result(t, call))
		must(t, a.Close())
		must(t, b.Close())
		held := weak.Make(b)
		b = nil
		for range 3 {
			runtime.GC()
		}
		if held.Value() != nil {
			t.Errorf("%s: a context holds a closed Conn", kind)
		}
		runtime.KeepAlive(ctx)
	}
}

// A Conn keeps no context that has ended, nor what it refers to, whether it ended
// the call or came to its end later.
func TestEndedContextIsNotKept(t *testing.T) {
	leaktest.Check(t)
	type key struct{}
	a, b := pair(t, uds.SeqPacket)
	freed := make(chan struct{}, 2)
	for _, endsCall := range []bool{false, true} {
		value := new([1 << 20]byte)
		runtime.AddCleanup(value, func(c chan<- struct{}) { c <- struct{}{} }, freed)
		ctx, cancel := context.WithCancel(context.WithValue(patient(t), key{}, value))
		call := waiting(t, func() error {
			_, err := b.Receive(ctx, make([]byte, 1))
			return err
		})
		if endsCall {
			cancel()
			if err := result(t, call); !errors.Is(err, context.Canceled) {
				t.Errorf("Receive = %v, want Canceled", err)
			}
			continue
		}
		_, err := a.Send(t.Context(), []byte("x"))
		must(t, err)
		must(t, result(t, call))
		cancel()
		// The other direction, so that this one is not asked again.
		a, b = b, a
	}
	for deadline := time.Now().Add(patience); len(freed) < 2; runtime.Gosched() {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("%d of 2 contexts are freed", len(freed))
		}
	}
}
