//go:build linux

package bench_test

import (
	"testing"

	"github.com/plait-go/plait/bench/ipc"
)

// BenchmarkSysVOneWay measures messages of 1 KiB from one process to another, in
// relation to msgsnd(2) and msgrcv(2) that block.
func BenchmarkSysVOneWay(b *testing.B) {
	task := func(way string) ipc.Task {
		return ipc.Task{Work: ipc.OneWay, Way: way, Size: 1 << 10, Messages: million}
	}
	versus(b, "way=sysvmsg/base=msgsnd", task("sysvmsg"), task("msgsnd"))
}

// BenchmarkSysVPingPong measures a message there and back, through a queue for each
// direction, with both processes on one processor.
func BenchmarkSysVPingPong(b *testing.B) {
	task := func(way string) ipc.Task {
		return ipc.Task{Work: ipc.PingPong, Way: way, Size: 1 << 10, Messages: million / 20, OneCPU: true}
	}
	versus(b, "way=sysvmsg/base=msgsnd", task("sysvmsg"), task("msgsnd"))
}
