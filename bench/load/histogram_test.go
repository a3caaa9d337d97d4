//go:build linux

package load

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHistogramIsExactEnough compares with the times themselves, from nanoseconds to
// minutes.
func TestHistogramIsExactEnough(t *testing.T) {
	var h histogram
	var all []float64
	r := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		ns := r.Int64N(1 << (1 + r.IntN(37)))
		h.add(ns)
		all = append(all, float64(ns))
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 0.999} {
		want := all[int(q*float64(len(all)))]
		if got := h.quantile(q); got < want || got > want*(1+1.0/fine) {
			t.Errorf("quantile(%v) = %v; want %v or up to 1/%d more", q, got, want, fine)
		}
	}
}
