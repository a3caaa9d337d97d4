//go:build linux

package batch_test

import (
	"context"
	"testing"

	"github.com/plait-go/plait/uds/batch"
)

// A record costs no allocation, at either end.
func TestAllocations(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.socket.String(), func(t *testing.T) {
			a, b := pair(t, k.socket)
			w := batch.NewWriter(a, k.kind, nil)
			r := batch.NewReader(b, k.kind, nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := record(1, 1000)
			var failure error
			got := testing.AllocsPerRun(1000, func() {
				for range 10 {
					if err := w.Add(ctx, p); err != nil {
						failure = err
					}
				}
				if err := w.Flush(ctx); err != nil {
					failure = err
				}
				for range 10 {
					if _, err := r.Next(ctx); err != nil {
						failure = err
					}
				}
			})
			if got != 0 || failure != nil {
				t.Errorf("%v allocations for 10 records, %v; want 0", got, failure)
			}
		})
	}
}

// Nor does being refused.
func TestAllocationsFull(t *testing.T) {
	f := &fake{room: 1}
	w := batch.NewTryWriter(f, batch.Packets, &batch.Options{Size: 100})
	must(t, w.TryAdd(record(0, 90)))
	p := record(1, 50)
	if got := testing.AllocsPerRun(100, func() {
		if w.TryAdd(p) == nil {
			t.Error("TryAdd added a record for which there is no room")
		}
	}); got != 0 {
		t.Errorf("%v allocations for a refusal; want 0", got)
	}
}
