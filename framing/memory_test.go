package framing_test

import (
	"bytes"
	"reflect"
	"runtime"
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

func TestLargeBuffersAreDropped(t *testing.T) {
	frame := make([]byte, 1<<20)
	frame[len(frame)-1] = '!'
	const n = 32
	var heap [2]runtime.MemStats
	ds, rs := make([]*framing.Decoder, n), make([]*framing.Reader, n)
	runtime.GC()
	runtime.ReadMemStats(&heap[0])
	for i := range n {
		ds[i] = framing.NewDecoder(bang{})
		for _, p := range [][]byte{frame[:100<<10], frame[100<<10:]} {
			collect(ds[i], string(p))
		}
		rs[i] = framing.NewReader(&repeat{frame: frame}, bang{})
		drain(rs[i], 1)
	}
	runtime.GC()
	runtime.ReadMemStats(&heap[1])
	if grown := int64(heap[1].HeapAlloc) - int64(heap[0].HeapAlloc); grown > n*(64<<10+16<<10) {
		t.Errorf("%d Decoders and Readers hold %d bytes after a frame of 1 MiB; want less than 80 KiB each", n, grown)
	}
	runtime.KeepAlive(ds)
	runtime.KeepAlive(rs)
}

// repeat reads a frame once, then a little more, then an error for ever.
type repeat struct {
	frame []byte
	done  int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.done == len(r.frame) {
		return 0, errLine
	}
	n := copy(p, r.frame[r.done:])
	r.done += n
	return n, nil
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
