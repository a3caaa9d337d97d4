//go:build linux

package bench_test

import (
	"fmt"
	"testing"

	"github.com/plait-go/plait/bench/ipc"
	"github.com/plait-go/plait/bench/load"
)

// TestMain is the whole run of a process that was started as a server, or as one end
// of a conversation.
func TestMain(m *testing.M) {
	if !load.Child(load.Servers()) && !ipc.Child() {
		m.Run()
	}
}

// mostUnanswered is how much there may be on its way: above it, what is measured
// is how the kernel shares out the memory of sockets.
const mostUnanswered = 64 << 20 // bytes

// BenchmarkReactorEcho measures a server that cuts frames and answers each.
func BenchmarkReactorEcho(b *testing.B) {
	for _, conns := range []int{1, 64, 1000} {
		for _, size := range []int{64, 1 << 10, 16 << 10, 64 << 10} {
			for _, pipeline := range []int{1, 16, 64} {
				if conns*size*pipeline <= mostUnanswered {
					echo(b, "framed", "tcp", load.Load{Conns: conns, Size: size, Pipeline: pipeline})
				}
			}
		}
	}
	for _, size := range []int{64, 1 << 10, 16 << 10, 64 << 10} {
		for _, pipeline := range []int{1, 16} {
			echo(b, "framed", "unix", load.Load{Conns: 64, Size: size, Pipeline: pipeline})
		}
	}
	echo(b, "framed-block", "tcp", load.Load{Conns: 1, Size: 64, Pipeline: 1})
	echo(b, "framed-block", "tcp", load.Load{Conns: 64, Size: 64, Pipeline: 1})
	echo(b, "framed", "tcp", load.Load{Conns: 64, Size: 64, Pipeline: 1, Idle: 9000})
}

func echo(b *testing.B, server, network string, l load.Load) {
	b.Helper()
	name := fmt.Sprintf("server=%s/net=%s/conns=%d/size=%d/pipeline=%d", server, network, l.Conns, l.Size, l.Pipeline)
	if l.Idle > 0 {
		name += fmt.Sprintf("/idle=%d", l.Idle)
	}
	b.Run(name, func(b *testing.B) { load.Echo(b, server, network, l) })
}

// BenchmarkReactorChurn measures connections that come, ask once, and go.
func BenchmarkReactorChurn(b *testing.B) {
	for _, server := range []string{"ours", "floor"} {
		b.Run("server="+server, func(b *testing.B) { load.Churn(b, server, 64) })
	}
}

// BenchmarkReactorBroadcast measures a message to everybody.
func BenchmarkReactorBroadcast(b *testing.B) {
	for _, size := range []int{64, 1 << 10} {
		name := fmt.Sprintf("conns=5000/size=%d", size)
		b.Run(name, func(b *testing.B) { load.Everybody(b, "broadcast", "tcp", 5000, size) })
	}
}

// BenchmarkReactorIdle measures the memory of connections that do nothing.
func BenchmarkReactorIdle(b *testing.B) {
	for _, server := range []string{"ours", "framed", "floor"} {
		b.Run("server="+server+"/conns=10000", func(b *testing.B) { load.Idle(b, server, 10000) })
	}
}

// BenchmarkReactorCalls counts system calls of all kinds.
func BenchmarkReactorCalls(b *testing.B) {
	for _, server := range []string{"ours", "ours-block", "floor"} {
		for _, l := range []load.Load{
			{Conns: 1, Size: 64, Pipeline: 1},
			{Conns: 64, Size: 64, Pipeline: 1},
			{Conns: 64, Size: 64, Pipeline: 16},
		} {
			b.Run(fmt.Sprintf("server=%s/load=%v", server, l), func(b *testing.B) {
				load.SystemCalls(b, server, "tcp", l)
			})
		}
	}
}

// BenchmarkReactorFloor relates what servers take to the floor: way=whole those
// that answer with what they read, as the floor does; way=framed those that cut
// frames and answer each.
func BenchmarkReactorFloor(b *testing.B) {
	const loads = "1:64:1 64:64:1 64:64:16 64:1024:1 64:1024:16 64:16384:1 1000:64:1"
	b.Run("way=whole/net=tcp", func(b *testing.B) {
		load.Ratios(b, "tcp", loads, "ours", "ours-block", "floor-plain", "floor")
	})
	b.Run("way=whole/net=unix", func(b *testing.B) {
		load.Ratios(b, "unix", "1:64:1 64:64:1 64:64:16 64:16384:1", "ours", "floor-plain", "floor")
	})
	b.Run("way=framed/net=tcp", func(b *testing.B) {
		load.Ratios(b, "tcp", "1:64:16 64:64:16 64:1024:16 1000:64:16", "framed", "floor-plain", "floor")
	})
}
