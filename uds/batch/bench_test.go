//go:build linux

package batch_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/plait-go/plait/uds/batch"
)

// A sink takes everything, and a source gives one packet again and again.
type (
	sink   struct{}
	source struct{ packet []byte }
)

func (sink) TrySend(p []byte) (int, error) { return len(p), nil }

func (sink) Send(_ context.Context, p []byte) (int, error) { return len(p), nil }

func (s source) TryReceive(p []byte) (int, error) { return copy(p, s.packet), nil }

func (s source) Receive(_ context.Context, p []byte) (int, error) { return copy(p, s.packet), nil }

// BenchmarkWriter packs records for a connection that costs nothing.
func BenchmarkWriter(b *testing.B) {
	for _, size := range []int{64, 1024} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			w := batch.NewWriter(sink{}, batch.Packets, nil)
			p := record(0, size)
			ctx := b.Context()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Add(ctx, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReader reads records from a connection that costs a copy.
func BenchmarkReader(b *testing.B) {
	for _, size := range []int{64, 1024} {
		for _, kind := range []batch.Kind{batch.Packets, batch.Stream} {
			b.Run(fmt.Sprintf("size=%d/kind=%d", size, kind), func(b *testing.B) {
				f := &fake{}
				w := batch.NewTryWriter(f, batch.Packets, nil)
				for len(f.queue) == 0 {
					must(b, w.TryAdd(record(0, size)))
				}
				r := batch.NewReader(source{f.queue[0]}, kind, nil)
				ctx := b.Context()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := r.Next(ctx); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkConn sends records from one goroutine to another, packed, and one by one
// for comparison.
func BenchmarkConn(b *testing.B) {
	const size = 1024
	for _, k := range kinds {
		for _, way := range []string{"packed", "single"} {
			b.Run(fmt.Sprintf("kind=%v/way=%s", k.socket, way), func(b *testing.B) {
				from, to := pair(b, k.socket)
				w := batch.NewWriter(from, k.kind, nil)
				r := batch.NewReader(to, k.kind, nil)
				p := record(0, size)
				ctx := b.Context()
				b.SetBytes(size)
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				wg.Go(func() {
					for range b.N {
						if _, err := r.Next(ctx); err != nil {
							b.Error(err)
							return
						}
					}
				})
				for range b.N {
					must(b, w.Add(ctx, p))
					if way == "single" {
						must(b, w.Flush(ctx))
					}
				}
				must(b, w.Flush(ctx))
				wg.Wait()
			})
		}
	}
}
