//go:build linux

package dispatch_test

import (
	"fmt"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
)

// A batch of requests goes to a worker in the same process, and the next one when all
// of it are answered.
func BenchmarkDispatch(b *testing.B) {
	for _, size := range []int{64, 64 << 10} {
		for _, window := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("size=%d/window=%d", size, window), func(b *testing.B) {
				benchmark(b, size, window)
			})
		}
	}
}

func benchmark(b *testing.B, size, window int) {
	b.Helper()
	left, done := 0, make(chan struct{}, 1)
	s := dispatch.NewSerial()
	d, err := dispatch.New(1, s, &dispatch.Options{
		Window: window, WindowBytes: 64 << 20,
		Answered: func(dispatch.Answer) {
			if left--; left == 0 {
				done <- struct{}{}
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	w := attachTo(b, d, 0)
	w.serve(echo)
	f := d.Open(1, 0, nil)
	payload := make([]byte, size)
	batch := func() {
		left = window
		for range window {
			if err := d.Submit(f, dispatch.Request{Payload: payload}); err != nil {
				b.Errorf("Submit = %v; want nil", err)
			}
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(size * window))
	for b.Loop() {
		if err := s.Post(batch); err != nil {
			b.Fatal(err)
		}
		<-done
	}
	b.ReportMetric(float64(b.N*window)/b.Elapsed().Seconds(), "msgs/s")
	w.stop(b)
}
