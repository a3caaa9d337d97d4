//go:build linux

package chunk_test

import (
	"context"
	"errors"
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// A message costs no allocation, be it in one packet or in chunks.
func TestAllocations(t *testing.T) {
	for _, kind := range kinds() {
		for _, n := range []int{100, 100_000, 150_000} {
			a, b := pair(t, kind)
			w := chunk.NewWriter(a, &chunk.Options{Single: 1})
			r := chunk.NewReader(b, nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			msg := message(1, n)
			var failure error
			got := testing.AllocsPerRun(1000, func() {
				if err := w.Send(ctx, msg); err != nil {
					failure = err
				}
				if _, err := r.Receive(ctx); err != nil {
					failure = err
				}
			})
			if got != 0 || failure != nil {
				t.Errorf("%v: %v allocations for a message of %d bytes, %v; want 0", kind, got, n, failure)
			}
		}
	}
}

// Nor does a message whose rest has to wait.
func TestAllocationsRest(t *testing.T) {
	a, b, err := uds.SocketPair(uds.SeqPacket)
	must(t, err)
	defer func() { must(t, a.Close()) }()
	defer func() { must(t, b.Close()) }()
	w, r := chunk.NewTryWriter(a, nil), chunk.NewTryReader(b, nil)
	msg := message(1, 1_000_000)
	got := testing.AllocsPerRun(50, func() {
		failure := w.TrySend(msg)
		for done := false; !done && failure == nil; {
			if _, done, err = r.TryReceive(); errors.Is(err, uds.ErrEmpty) {
				if err = w.TryFlush(); errors.Is(err, uds.ErrFull) {
					err = nil
				}
			}
			failure = err
		}
		must(t, failure)
	})
	if got != 0 {
		t.Errorf("%v allocations for a message of %d bytes; want 0", got, len(msg))
	}
}
