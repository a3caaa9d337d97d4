//go:build linux

package epoll_test

import (
	"testing"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/uds/leaktest"
)

// A poster that waits for each of its functions meets the Loop just as it goes to
// sleep, again and again. A wake-up that is lost shows as a test that does not come
// to its end.
func TestPostsThatWaitForEachOther(t *testing.T) {
	for name, test := range map[string]struct {
		w     epoll.Waiting
		posts int
	}{
		"park":  {epoll.Park, 100_000},
		"block": {epoll.Block, 2_000}, // each wakes a thread
	} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			l := newLoop(t, test.w)
			stop := run(t, l)
			ran := make(chan int, 1)
			count := 0
			post := func() { count++; ran <- count }
			for i := 1; i <= test.posts; i++ {
				must(t, l.Post(post))
				if got := next(t, ran); got != i {
					t.Fatalf("%d functions ran, want %d", got, i)
				}
			}
			stop()
			if count != test.posts {
				t.Errorf("%d functions ran, want %d", count, test.posts)
			}
		})
	}
}
