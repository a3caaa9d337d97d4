//go:build linux

package procpool

import (
	"math/rand/v2"
	"time"
)

// A budget is what a slot has left for restarts.
type budget struct {
	Restart
	spent    int           // immediate restarts that have not been regained
	delay    time.Duration // of the restart before, 0 if it was immediate
	failures int           // in a row
}

// earn notes that a worker has been ready from one time to another, and returns until
// when that is paid: one immediate restart for each Regain. The first is a recovery.
func (b *budget) earn(from, to time.Time) time.Time {
	n := to.Sub(from) / b.Regain
	if n > 0 {
		b.failures, b.delay = 0, 0
		b.spent -= int(min(n, time.Duration(b.spent)))
	}
	return from.Add(n * b.Regain)
}

// fail notes that a worker has ended which was ready for so long. It reports that the
// pool is to give up.
func (b *budget) fail(ready time.Duration) bool {
	if ready < b.Regain {
		b.failures++
	}
	return b.MaxFailures > 0 && b.failures > b.MaxFailures
}

// next returns how long to wait before the next restart.
func (b *budget) next() time.Duration {
	if b.spent < b.Burst {
		b.spent++
		return 0
	}
	b.delay = min(max(2*b.delay, b.Min), b.Max)
	return time.Duration(float64(b.delay) * (0.8 + 0.4*rand.Float64()))
}
