//go:build linux

package epoll_test

import (
	"testing"

	"github.com/plait-go/plait/epoll"
)

// A Loop of a Group that has been drained has no Conns for ever, and takes none.
func TestLeastIsNoLoopThatHasEnded(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 2, w)
		runGroup(t, g)
		drained, other := g.Loops()[0], g.Loops()[1]
		on(t, drained, func() { drained.Drain(nil) })
		for drained.Post(func() {}) == nil { // until it has ended
			on(t, other, func() {})
		}
		if g.Least() == drained {
			t.Error("Least returns the Loop that has ended")
		}
	})
}
