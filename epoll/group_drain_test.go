//go:build linux

package epoll_test

import (
	"testing"

	"github.com/plait-go/plait/epoll"
)

// A Loop of a Group that has nothing left to do ends alone: the others may have
// clients still.
func TestGroupOutlivesALoopThatIsDrained(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		g := newGroup(t, 3, w)
		done := make(chan error, 1)
		go func() { done <- g.Run(t.Context()) }()
		drained, other := g.Loops()[0], g.Loops()[1]
		on(t, drained, func() { drained.Drain(nil) })
		for drained.Post(func() {}) == nil { // until it has ended
			on(t, other, func() {})
		}
		for range 100 {
			on(t, other, func() {})
		}
		g.Stop()
		must(t, next(t, done))
	})
}
