//go:build linux

package envelope

import (
	"errors"
	"sync/atomic"
)

// Stats count the messages of a Consumer since it was made. All but Received are
// in quarantine, each counted once, when it has arrived there.
type Stats struct {
	Received uint64 // in order, those rejected later included
	Foreign  uint64
	Version  uint64
	Corrupt  uint64
	Stale    uint64
	Rejected uint64
}

// counters are the fields of Stats. They may be read while the Consumer works.
type counters struct {
	received, foreign, version, corrupt, stale, rejected atomic.Uint64
}

// Stats returns the counts. It may be called from any goroutine.
func (c *Consumer) Stats() Stats {
	return Stats{
		Received: c.count.received.Load(),
		Foreign:  c.count.foreign.Load(),
		Version:  c.count.version.Load(),
		Corrupt:  c.count.corrupt.Load(),
		Stale:    c.count.stale.Load(),
		Rejected: c.count.rejected.Load(),
	}
}

// add counts a message that is in quarantine for a reason. The application's own
// reason may match anything, so ErrRejected is asked for first.
func (c *counters) add(reason error) {
	switch {
	case errors.Is(reason, ErrRejected):
		c.rejected.Add(1)
	case errors.Is(reason, ErrForeign):
		c.foreign.Add(1)
	case errors.Is(reason, ErrVersion):
		c.version.Add(1)
	case errors.Is(reason, ErrCorrupt):
		c.corrupt.Add(1)
	case errors.Is(reason, ErrStale):
		c.stale.Add(1)
	}
}
