//go:build linux

package bench_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plait-go/plait/epoll"
)

// waits are the ways in which a Loop waits.
func waits(b *testing.B, name string, f func(b *testing.B, w epoll.Waiting)) {
	b.Helper()
	b.Run("wait=park"+name, func(b *testing.B) { f(b, epoll.Park) })
	b.Run("wait=block"+name, func(b *testing.B) { f(b, epoll.Block) })
}

// running returns a Loop that runs until the benchmark ends.
func running(b *testing.B, w epoll.Waiting) *epoll.Loop {
	b.Helper()
	l, err := epoll.New(&epoll.Options{Waiting: w})
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error)
	ctx := context.WithoutCancel(b.Context())
	go func() { ended <- l.Run(ctx) }() // until Stop
	b.Cleanup(func() {
		l.Stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return l
}

// BenchmarkReactorPostReply measures a function that is posted to a Loop that
// waits, and answers: two switches between goroutines at least.
func BenchmarkReactorPostReply(b *testing.B) {
	waits(b, "", func(b *testing.B, w epoll.Waiting) {
		b.Helper()
		b.ReportAllocs()
		l := running(b, w)
		done := make(chan struct{})
		reply := func() { done <- struct{}{} }
		for b.Loop() {
			if err := l.Post(reply); err != nil {
				b.Fatal(err)
			}
			<-done
		}
	})
}

// BenchmarkReactorPost measures functions that goroutines post as fast as they can,
// until all have run.
func BenchmarkReactorPost(b *testing.B) {
	for _, posters := range []int{1, 4} {
		waits(b, fmt.Sprintf("/posters=%d", posters), func(b *testing.B, w epoll.Waiting) {
			b.Helper()
			b.ReportAllocs()
			l := running(b, w)
			b.ResetTimer()
			if n := posted(l, posters, b.N); n != int64(b.N) {
				b.Fatalf("%d functions have run; want %d", n, b.N)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
		})
	}
}

// posted has a number of goroutines post n functions in all, and returns how many
// of them have run.
func posted(l *epoll.Loop, posters, n int) int64 {
	var run atomic.Int64
	var posting sync.WaitGroup
	count := func() { run.Add(1) }
	for i := range posters {
		posting.Go(func() {
			for range (n + i) / posters { // n in all
				_ = l.Post(count) // the number tells
			}
		})
	}
	posting.Wait()
	done := make(chan struct{})
	_ = l.Post(func() { close(done) }) // behind the others
	<-done
	return run.Load()
}
