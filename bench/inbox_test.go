//go:build linux

package bench_test

import (
	"fmt"
	"testing"

	"github.com/plait-go/plait/bench/ipc"
)

// BenchmarkInboxOneWay measures messages from one process to the inbox of another, in
// relation to packets of package uds, and to bare system calls.
func BenchmarkInboxOneWay(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 16 << 10} {
		task := func(way string) ipc.Task {
			return ipc.Task{Work: ipc.OneWay, Way: way, Kind: "seqpacket", Size: size, Messages: million / 2}
		}
		for _, base := range []string{"uds", "raw"} {
			versus(b, fmt.Sprintf("size=%d/way=inbox/base=%s", size, base), task("inbox"), task(base))
		}
	}
}

// BenchmarkInboxPingPong measures a message to the inbox of another process, and one
// back, with both processes on one processor.
func BenchmarkInboxPingPong(b *testing.B) {
	task := func(way string) ipc.Task {
		return ipc.Task{Work: ipc.PingPong, Way: way, Kind: "seqpacket", Size: 1 << 10, Messages: million / 20, OneCPU: true}
	}
	for _, base := range []string{"uds", "raw"} {
		versus(b, "way=inbox/base="+base, task("inbox"), task(base))
	}
}
