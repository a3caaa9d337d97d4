//go:build linux && !race

package sysvmsg_test

// allowed is how many allocations a round trip may cost.
const allowed = 0
