//go:build linux

package load

import "math/bits"

// A histogram counts times in buckets that are at most 1/32 of their value wide.
type histogram struct {
	counts [64 * fine]uint64
	total  uint64
}

const fine = 32 // buckets between a power of two and the next

func (h *histogram) add(ns int64) {
	v := uint64(max(ns, 0))
	shift := max(bits.Len64(v)-6, 0) // fine and more, less than 2*fine, are left
	h.counts[shift*fine+int(v>>shift)]++
	h.total++
}

// quantile returns the nanoseconds that a part q of the times does not exceed.
func (h *histogram) quantile(q float64) float64 {
	rank := uint64(q * float64(h.total))
	for i, n := range h.counts {
		if n > rank {
			shift := max(i/fine-1, 0)
			return float64(uint64(i-shift*fine+1)<<shift) - 1
		}
		rank -= n
	}
	return 0
}
