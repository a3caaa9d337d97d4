//go:build linux

package chunk_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// BenchmarkConn sends messages from one goroutine to another: in one packet, where
// the send buffer can be made large enough, and in chunks.
func BenchmarkConn(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20} {
		for _, way := range []string{"single", "chunks"} {
			b.Run(fmt.Sprintf("size=%d/way=%s", size, way), func(b *testing.B) {
				from, to := pair(b, uds.SeqPacket)
				o := &chunk.Options{Single: 1}
				if way == "single" {
					o.Single = 4 << 20
					granted, err := from.SetBuffers(2*size+1<<16, 0)
					must(b, err)
					if limit, err := from.MaxMessage(); err != nil || limit < size+chunk.HeaderSize {
						b.Skipf("the send buffer is %+v: %v", granted, err)
					}
				}
				w := chunk.NewWriter(from, o)
				r := chunk.NewReader(to, &chunk.ReaderOptions{Packet: 4<<20 + chunk.HeaderSize, Limits: chunk.Limits{Spare: 4 << 20}})
				msg := message(0, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				wg.Go(func() {
					for range b.N {
						if _, err := r.Receive(b.Context()); err != nil {
							b.Error(err)
							return
						}
					}
				})
				for range b.N {
					must(b, w.Send(b.Context(), msg))
				}
				wg.Wait()
			})
		}
	}
}

// BenchmarkReassembler takes packets that cost nothing.
func BenchmarkReassembler(b *testing.B) {
	for _, size := range []int{100, 1 << 20} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			var r chunk.Reassembler
			packets := cut(1, 1, message(0, size), chunk.DefaultChunk)
			now := time.Now()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range packets {
					if _, _, err := r.Add(p, now); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
