//go:build linux

package task_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/task"
)

// inFlight is how many tasks are submitted and not done, in benchmarks.
const inFlight = 64

// One task worker, and 64 tasks in flight that the manager submits.
func BenchmarkSubmit(b *testing.B) {
	for _, window := range []int{1, inFlight} {
		for _, size := range []int{64, 1 << 10, 16 << 10} {
			b.Run(fmt.Sprintf("window=%d/size=%d", window, size), func(b *testing.B) {
				benchmarkSubmit(b, window, size)
			})
		}
	}
}

func benchmarkSubmit(b *testing.B, window, size int) {
	b.Helper()
	r := benchRig(b, window)
	payload := append([]byte("echo "), bytes.Repeat([]byte("x"), size-5)...)
	left, open := b.N, 0
	done := make(chan bool, 1)
	var submit func()
	finished := func(r task.Result) {
		open--
		if r.Err != nil {
			b.Error(r.Err)
		}
		submit()
		if open == 0 {
			done <- true
		}
	}
	submit = func() {
		if left > 0 {
			left, open = left-1, open+1
			r.Submit(payload, finished)
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	r.Submit(payload, func(task.Result) { // from here on in rounds
		for range inFlight {
			submit()
		}
		if open == 0 {
			done <- true
		}
	})
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// The same tasks from a worker, 64 at a time, each of which waits for its reply.
func BenchmarkWorkerDo(b *testing.B) {
	for _, window := range []int{1, inFlight} {
		b.Run(fmt.Sprintf("window=%d/size=64", window), func(b *testing.B) {
			r := benchRig(b, window)
			b.ResetTimer()
			for left := b.N; left > 0; left -= 1000 {
				n := min(left, 1000)
				got, err := r.ask(b, fmt.Sprintf("flood %d echo %s", n, bytes.Repeat([]byte("x"), 59)))
				if err != nil || binary.LittleEndian.Uint64([]byte(got)) != uint64(n) {
					b.Fatalf("flood of %d = %x, %v", n, got, err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// benchRig runs a pool with a task worker, and a worker.
func benchRig(b *testing.B, window int) *rig {
	b.Helper()
	return newRigOf(b, &procpool.Group{Count: 1}, 1, &task.Options{Window: window})
}
