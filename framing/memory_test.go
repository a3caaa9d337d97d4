package framing_test

import (
	"bytes"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/plait-go/plait/framing"
)

func TestDecoderSize(t *testing.T) {
	if n := reflect.TypeFor[framing.Decoder]().Size(); n > 128 {
		t.Errorf("a Decoder is %d bytes; want at most 128", n)
	}
}

func TestDecoderDoesNotAllocatePerFrame(t *testing.T) {
	stream := []byte(strings.Repeat("\x00\x10fourteen bytes", 4096))
	for _, step := range []int{len(stream), 1459, 17} {
		d := framing.NewDecoder(short{})
		n := 0
		feed := func() {
			for i := 0; i < len(stream); i += step {
				for _, err := range d.Frames(stream[i:min(len(stream), i+step)]) {
					if n++; err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		feed() // grows the buffer for straddling frames
		if got := testing.AllocsPerRun(10, feed); got != 0 {
			t.Errorf("in steps of %d: %v allocations for 4096 frames; want 0", step, got)
		}
		if n != 12*4096 {
			t.Errorf("in steps of %d: %d frames; want %d", step, n, 12*4096)
		}
	}
}

func TestReaderDoesNotAllocatePerFrame(t *testing.T) {
	stream := []byte(strings.Repeat("\x00\x10fourteen bytes", 4096))
	src := bytes.NewReader(stream)
	r := framing.NewReader(src, short{})
	n := 0
	read := func() {
		src.Reset(stream)
		for _, err := range r.All() {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	read()
	if got := testing.AllocsPerRun(10, read); got != 0 {
		t.Errorf("%v allocations for 4096 frames; want 0", got)
	}
	if n != 12*4096 {
		t.Errorf("%d frames; want %d", n, 12*4096)
	}
}

func TestWriterDoesNotAllocatePerFrame(t *testing.T) {
	w := framing.NewWriter(writerFunc(func(p []byte) (int, error) { return len(p), nil }), short{})
	payload := []byte("fourteen bytes")
	write := func() {
		for range 10000 {
			_, _ = w.Write(payload)
		}
		_ = w.Flush()
	}
	write()
	if got := testing.AllocsPerRun(10, write); got != 0 {
		t.Errorf("%v allocations for 10000 frames; want 0", got)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// allocated returns the bytes that f allocates, other goroutines being idle.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

const claim = 1 << 30

func TestMemoryFollowsBytesReceived(t *testing.T) {
	head := "\x00\x00\x00\x00\x3f\xff\xff\x00"
	body := strings.Repeat("x", 1000)
	decoder := allocated(func() {
		d := framing.NewDecoder(huge{})
		d.Max = claim
		collect(d, head, body)
		if got := len(d.Buffered()); got != 1008 {
			t.Errorf("%d bytes are kept; want 1008", got)
		}
	})
	if decoder > 8<<10 {
		t.Errorf("a Decoder with 1008 bytes of a frame of 1 GiB allocated %d bytes; want a few thousand", decoder)
	}
	reader := allocated(func() {
		r := framing.NewReader(strings.NewReader(head+body), huge{})
		r.Max = claim
		drain(r, 1)
	})
	if reader > 16<<10 {
		t.Errorf("a Reader with 1008 bytes of a frame of 1 GiB allocated %d bytes; want a few thousand", reader)
	}
}

// held returns the heap bytes that each of a few dozen things made by f holds.
func held[T any](f func() T) int {
	const n = 32
	things := make([]T, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range things {
		things[i] = f()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(things)
	return (int(after.HeapAlloc) - int(before.HeapAlloc)) / n
}

func TestLargeBuffersAreDropped(t *testing.T) {
	frame := strings.Repeat("x", 1<<20) + "!"
	for name, pieces := range map[string][]string{
		"between frames":   {frame[:100<<10], frame[100<<10:]},
		"a byte in hand":   {frame[:100<<10], frame[100<<10:] + "y", "zz!y", "zz!y"},
		"small and behind": {frame[:100<<10], frame[100<<10:] + "yyyyyy", "y"},
	} {
		if n := held(func() *framing.Decoder {
			d := framing.NewDecoder(bang{})
			collect(d, pieces...)
			return d
		}); n > 64<<10+16<<10 {
			t.Errorf("%s: a Decoder holds %d bytes; want at most 80 KiB", name, n)
		}
		steps := []any{}
		for _, p := range pieces {
			steps = append(steps, p)
		}
		if n := held(func() *framing.Reader {
			r := framing.NewReader(&script{append(slices.Clone(steps), errLine)}, bang{})
			drain(r, 1)
			return r
		}); n > 64<<10+16<<10 {
			t.Errorf("%s: a Reader holds %d bytes; want at most 80 KiB", name, n)
		}
	}
}

func TestBuffersThatNothingNeedsGo(t *testing.T) {
	n := held(func() *framing.Decoder {
		d := framing.NewDecoder(bang{})
		collect(d, strings.Repeat("x", 30<<10), "!", "a!")
		return d
	})
	if n > 1<<10 {
		t.Errorf("a Decoder holds %d bytes after a loop that needed no buffer; want none", n)
	}
}

func TestResetDropsLargeBuffers(t *testing.T) {
	part := strings.Repeat("x", 1<<20)
	if n := held(func() *framing.Decoder {
		d := framing.NewDecoder(bang{})
		collect(d, part)
		d.Reset()
		return d
	}); n > 64<<10+16<<10 {
		t.Errorf("a Decoder holds %d bytes after Reset", n)
	}
	if n := held(func() *framing.Reader {
		r := framing.NewReader(strings.NewReader(part), bang{})
		drain(r, 1)
		r.Reset(nil)
		return r
	}); n > 64<<10+16<<10 {
		t.Errorf("a Reader holds %d bytes after Reset", n)
	}
	if n := held(func() *framing.Writer {
		w := framing.NewWriter(io.Discard, lines{})
		_, _ = w.Write([]byte(part))
		return w
	}); n > 128<<10+16<<10 {
		t.Errorf("a Writer holds %d bytes after a large frame", n)
	}
}

func TestBreakingAgainAndAgainIsLinear(t *testing.T) {
	for name, stream := range map[string]string{
		"frames":   strings.Repeat("a!", 32<<10),
		"oversize": strings.Repeat("bcdefgh\r\n", 7<<10),
	} {
		var s framing.Splitter = bang{}
		if name == "oversize" {
			s = crlf{}
		}
		turns := 0
		n := allocated(func() {
			d := framing.NewDecoder(s)
			d.Max, d.Discard = 6, true
			for p := []byte(stream); turns == 0 || len(d.Buffered()) > 0; p = nil {
				for range d.Frames(p) { //nolint:errcheck // an oversize frame is one turn, too
					turns++
					break
				}
			}
		})
		if n > uint64(40*len(stream)) {
			t.Errorf("%s: %d turns over %d bytes allocated %d bytes", name, turns, len(stream), n)
		}
	}
}

// A counter is a Splitter that counts the bytes it is shown for the first time,
// and those shown again.
type counter struct {
	framing.Splitter
	shown, again int
}

func (c *counter) Split(data []byte, seen int) (int, error) {
	c.shown += len(data) - seen
	c.again += seen
	return c.Splitter.Split(data, seen)
}

// Single bytes of a long frame are looked at once each; the hint says which.
func TestDripIsLinear(t *testing.T) {
	const size = 1 << 20
	c := &counter{Splitter: bang{}}
	d := framing.NewDecoder(c)
	for range size {
		for f, err := range d.Frames([]byte("x")) {
			t.Fatalf("frame %q, %v without an end", f, err)
		}
	}
	if c.shown != size || len(d.Buffered()) != size {
		t.Errorf("%d bytes were shown without a hint, %d kept; want %d, each once", c.shown, len(d.Buffered()), size)
	}
	c = &counter{Splitter: huge{}}
	d = framing.NewDecoder(c)
	d.Max = claim
	for _, b := range []byte("\x00\x00\x00\x00\x3f\xff\xff\x00" + strings.Repeat("x", 1000)) {
		for f, err := range d.Frames([]byte{b}) {
			t.Fatalf("frame %q, %v without an end", f, err)
		}
	}
	if c.shown+c.again > 64 {
		t.Errorf("Split was shown %d bytes; want none behind the header", c.shown+c.again)
	}
}
