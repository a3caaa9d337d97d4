//go:build linux && !race

package uds_test

// pooled is how many allocations three buffers of a sync.Pool may cost.
const pooled = 0
