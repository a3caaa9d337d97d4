//go:build linux && race

package sysvmsg_test

// allowed is how many allocations a round trip may cost: the race detector has
// sync.Pool forget a quarter of what it is given.
const allowed = 3
