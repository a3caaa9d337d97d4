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

// ended notes that a worker has ended which was ready for so long. A worker that was
// ready for Regain is a recovery.
func (b *budget) ended(ready time.Duration) {
	b.failures++
	if ready < b.Regain {
		return
	}
	b.failures, b.delay = 0, 0
	if b.Regain > 0 {
		b.spent = int(max(int64(b.spent)-int64(ready/b.Regain), 0))
	} else {
		b.spent = 0
	}
}

// exhausted reports that the pool is to give up.
func (b *budget) exhausted() bool { return b.MaxFailures > 0 && b.failures > b.MaxFailures }

// next returns how long to wait before the next restart.
func (b *budget) next() time.Duration {
	if b.spent < b.Burst {
		b.spent++
		return 0
	}
	b.delay = min(max(2*b.delay, b.Min), b.Max)
	return time.Duration(float64(b.delay) * (0.8 + 0.4*rand.Float64()))
}
