package fuzz_test

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math"
	"runtime"
	"testing"

	"github.com/leanovate/gopter/gen"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// allocated returns how many bytes f allocates: the least of a few runs, since
// others may allocate meanwhile.
func allocated(f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// retained returns how many bytes of the heap what makes keeps alive, for each
// of n.
func retained(n int, makes func() any) uint64 {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	kept := make([]any, n)
	before := heap()
	for i := range kept {
		kept[i] = makes()
	}
	after := heap()
	runtime.KeepAlive(kept)
	return (max(after, before) - before) / uint64(n)
}

// claims is a codec whose frames say how long they are: at most 4 GiB.
func claims() *lengthfield.Codec {
	c, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	if err != nil {
		panic(err)
	}
	return c
}

func crlf() *eof.Codec {
	c, err := eof.New("\r\n")
	if err != nil {
		panic(err)
	}
	return c
}

// claim is the first n bytes of a frame that claims size more behind its length.
func claim(size uint32, n int) []byte {
	return append([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, make([]byte, n)...)
}

// Memory follows the bytes received: what a length claims, or a delimiter that
// does not come might take, costs nothing.
func TestProperty11BoundedMemory(t *testing.T) {
	forAll(t, 60, func(size uint32, received, chunk int) string {
		data := claim(size, received)
		most := uint64(5*len(data) + 64*(len(data)/chunk) + 12<<10)
		for name, s := range map[string]framing.Splitter{"length": claims(), "delimiter": crlf()} {
			got := allocated(func() { feedAll(s, data, chunk) })
			if got > most {
				return fmt.Sprintf("Decoder by %s, claim %d: %d bytes allocated for %d received by %d; want %d at most", name, size, got, len(data), chunk, most)
			}
			got = allocated(func() { readAll(s, data, chunk) })
			if got > most {
				return fmt.Sprintf("Reader by %s, claim %d: %d bytes allocated for %d received by %d; want %d at most", name, size, got, len(data), chunk, most)
			}
		}
		return ""
	}, gen.UInt32Range(100_000, framing.DefaultMax-4), gen.IntRange(0, 80_000), gen.IntRange(40, 9000))
}

func feedAll(s framing.Splitter, data []byte, chunk int) {
	d := framing.NewDecoder(s)
	for p := range chunksOf(data, chunk) {
		drain(d.Frames(p))
	}
}

// drain takes every turn of a loop, frames and errors alike.
func drain(loop iter.Seq2[[]byte, error]) {
	for range loop { //nolint:errcheck // Errors are turns.
		continue
	}
}

func readAll(s framing.Splitter, data []byte, chunk int) {
	r := framing.NewReader(&pieceReader{data, chunk}, s)
	drain(r.All())
}

// chunksOf yields data in pieces of size bytes.
func chunksOf(data []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			n := min(size, len(data))
			if !yield(data[:n]) {
				return
			}
			data = data[n:]
		}
	}
}

// A pieceReader reads data in pieces of size bytes at most.
type pieceReader struct {
	data []byte
	size int
}

func (r *pieceReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.size)], r.data)
	r.data = r.data[n:]
	return n, nil
}

// What is skipped is not kept, with a length and without.
func TestProperty11SkipsWithoutMemory(t *testing.T) {
	const most = 64 << 10 // bytes
	piece := make([]byte, 4096)
	for name, s := range map[string]framing.Splitter{"length": claims(), "delimiter": crlf()} {
		got := allocated(func() {
			d := framing.NewDecoder(s)
			d.Max, d.Discard = 1000, true
			drain(d.Frames(claim(1<<30, 2000)))
			for range 1000 {
				drain(d.Frames(piece))
			}
		})
		if got > most {
			t.Errorf("by %s: %d bytes allocated to skip 4 MB; want %d at most", name, got, most)
		}
	}
}

// A buffer that a large frame needed is gone when that is drained.
func TestProperty11DropsLargeBuffers(t *testing.T) {
	const most = 80 << 10 // bytes
	frame := claim(1<<20, 1<<20)
	small := claim(1, 1)
	for name, makes := range map[string]func() any{
		"Decoder": func() any {
			d := framing.NewDecoder(claims())
			for _, p := range [][]byte{frame[:1000], frame[1000:]} {
				drain(d.Frames(p))
			}
			return d
		},
		"Reader": func() any {
			r := framing.NewReader(io.MultiReader(bytes.NewReader(frame), bytes.NewReader(small)), claims())
			for range 2 {
				if _, err := r.Next(); err != nil {
					t.Error(err)
				}
			}
			return r
		},
		"Writer": func() any {
			w := framing.NewWriter(io.Discard, claims())
			if _, err := w.Write(frame); err != nil {
				t.Error(err)
			}
			return w
		},
	} {
		if got := retained(16, makes); got > most {
			t.Errorf("%s keeps %d bytes behind a frame of %d; want %d at most", name, got, len(frame), most)
		}
	}
}

// Frames cost no allocation each.
func TestProperty11NoAllocationPerFrame(t *testing.T) {
	const most = 20 // allocations for 1000 frames
	stream := bytes.Repeat([]byte("0123456789\r\n"), 1000)
	got := testing.AllocsPerRun(5, func() { feedAll(crlf(), stream, 1<<20) })
	if got > most {
		t.Errorf("Decoder: %v allocations for 1000 frames; want %d at most", got, most)
	}
	got = testing.AllocsPerRun(5, func() { readAll(crlf(), stream, 1<<20) })
	if got > most {
		t.Errorf("Reader: %v allocations for 1000 frames; want %d at most", got, most)
	}
}
