//go:build linux

package lane_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/plait-go/plait/procpool/lane"
)

// sizes are what payloads are measured with, in bytes.
var sizes = []int{64, 1 << 10, 16 << 10} //nolint:gochecknoglobals // a constant

func BenchmarkAppend(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			payload := make([]byte, size)
			var out []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				out = lane.Append(out[:0], lane.Header{Kind: lane.KindRequest}, payload)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			p := encode(message{lane.KindRequest, 0, 0, make([]byte, size)})
			records, parts := lane.NewDecoder(), lane.Assembler{}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for record, err := range records.Frames(p) {
					h, piece, err2 := lane.Parse(record)
					if _, whole, err3 := parts.Add(h, piece); err != nil || err2 != nil || err3 != nil || !whole {
						b.Fatal(err, err2, err3)
					}
				}
			}
		})
	}
}

// BenchmarkServer has 64 requests answered at a time.
func BenchmarkServer(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			const batch = 64
			p := startPeer(b, &lane.Server{Handler: func(r *lane.Request) { _ = r.Reply(r.Payload) }}, nil)
			out := encode(slices.Repeat([]message{{lane.KindRequest, 0, 0, make([]byte, size)}}, batch)...)
			back := make([]byte, len(out))
			wrote := make(chan error, 1)
			b.SetBytes(int64(batch * size))
			b.ReportAllocs()
			for b.Loop() {
				go func() { // ends when it is read
					_, err := p.Write(out)
					wrote <- err
				}()
				_, err := io.ReadFull(p, back)
				if err := errors.Join(err, <-wrote); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "requests/s")
			p.end()
		})
	}
}
