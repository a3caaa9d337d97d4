//go:build linux && race

package envelope_test

// allowed is how many allocations a message may cost: the race detector has
// sync.Pool forget a quarter of what it is given.
const allowed = 2
