//go:build linux

package bench_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/plait-go/plait/bench/ipc"
	"github.com/plait-go/plait/uds"
)

// million is how many messages are sent one way in each round of -benchtime 1s.
const million = 1_000_000

// kinds are the kinds of sockets.
func kinds() []string { return []string{"stream", "datagram", "seqpacket"} }

// versus runs a benchmark of ours in relation to base.
func versus(b *testing.B, name string, ours, base ipc.Task) {
	b.Helper()
	b.Run(name, func(b *testing.B) { ipc.Compare(b, ours, base) })
}

// BenchmarkUDSOneWay measures messages of 1 KiB from one process to another: each in
// a system call of its own, in relation to calls that block, and packed, in relation
// to single ones.
func BenchmarkUDSOneWay(b *testing.B) {
	task := func(kind, way string) ipc.Task {
		return ipc.Task{Work: ipc.OneWay, Way: way, Kind: kind, Size: 1 << 10, Messages: million}
	}
	for _, kind := range kinds() {
		for _, way := range []string{"uds", "net", "rawsyscall"} {
			versus(b, fmt.Sprintf("kind=%s/way=%s/base=raw", kind, way), task(kind, way), task(kind, "raw"))
		}
	}
	for _, t := range []ipc.Task{task("stream", "framed"), task("stream", "packed"), task("seqpacket", "packed")} {
		versus(b, fmt.Sprintf("kind=%s/way=%s/base=uds", t.Kind, t.Way), t, task(t.Kind, "uds"))
	}
}

// BenchmarkUDSPingPong measures a message there and back, with both processes on one
// processor.
func BenchmarkUDSPingPong(b *testing.B) {
	task := func(kind, way string) ipc.Task {
		return ipc.Task{Work: ipc.PingPong, Way: way, Kind: kind, Size: 1 << 10, Messages: million / 20, OneCPU: true}
	}
	for _, kind := range kinds() {
		for _, way := range []string{"uds", "net"} {
			versus(b, fmt.Sprintf("kind=%s/way=%s/base=raw", kind, way), task(kind, way), task(kind, "raw"))
		}
	}
}

// BenchmarkUDSFDs measures descriptors that are passed along, and closed.
func BenchmarkUDSFDs(b *testing.B) {
	for _, fds := range []int{1, 16, 253} {
		task := func(way string) ipc.Task {
			return ipc.Task{Way: way, Kind: "seqpacket", Size: 16, Messages: million / 4 / fds, FDs: fds}
		}
		versus(b, fmt.Sprintf("fds=%d/way=uds/base=sendmsg", fds), task("sendfds"), task("sendmsg"))
	}
}

// BenchmarkUDSLarge measures ways for messages larger than a usual packet, in
// relation to a stream: one packet, packets with headers of package chunk with the
// system's buffers and with large ones, and files in memory that are passed along.
func BenchmarkUDSLarge(b *testing.B) {
	const (
		volume = 1 << 30 // bytes in each round of -benchtime 1s
		buffer = 8 << 20 // bytes
	)
	limit := largestPacket(b, buffer)
	for _, size := range []int{16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20} {
		task := func(way, kind string, buffer int) ipc.Task {
			return ipc.Task{Way: way, Kind: kind, Size: size, Buffer: buffer, Messages: volume / size}
		}
		stream := task("uds", "stream", 0)
		name := func(way string) string { return fmt.Sprintf("size=%d/way=%s/base=stream", size, way) }
		b.Run(name("packet"), func(b *testing.B) {
			if size > limit {
				b.Skipf("a packet has at most %d bytes (net.core.wmem_max)", limit)
			}
			ipc.Compare(b, task("uds", "datagram", buffer), stream)
		})
		versus(b, name("chunk"), task("chunk", "seqpacket", 0), stream)
		versus(b, name("chunk-buffer"), task("chunk", "seqpacket", buffer), stream)
		versus(b, name("memfd"), task("memfd", "seqpacket", 0), stream)
	}
}

// largestPacket returns how many bytes a packet may have with such a buffer, or with
// what the system grants of it.
func largestPacket(b *testing.B, buffer int) int {
	b.Helper()
	s, peer, err := uds.SocketPair(uds.Datagram)
	if err != nil {
		b.Fatal(err)
	}
	_, err = s.SetBuffers(buffer, 0)
	limit, failed := s.MaxMessage()
	if err := errors.Join(err, failed, s.Close(), peer.Close()); err != nil {
		b.Fatal(err)
	}
	return limit
}
