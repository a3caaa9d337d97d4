package bench_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

const (
	streamSize = 1 << 20  // bytes cut in one pass
	feedSize   = 64 << 10 // bytes pushed at once, and a Scanner's buffer
)

func sizes() []int { return []int{16, 64, 1024, 65536} }

// A format is a codec and a stream of its frames.
type format struct {
	name  string
	codec framing.Splitter
	frame func(size int) []byte
}

func formats(tb testing.TB) []format {
	tb.Helper()
	n, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	if err != nil {
		tb.Fatal(err)
	}
	lf, err := eof.New("\n")
	if err != nil {
		tb.Fatal(err)
	}
	crlf, err := eof.New("\r\n")
	if err != nil {
		tb.Fatal(err)
	}
	return []format{
		{"N", n, func(size int) []byte {
			f := bytes.Repeat([]byte("x"), size)
			binary.BigEndian.PutUint32(f, uint32(size-4))
			return f
		}},
		{"LF", lf, func(size int) []byte { return append(bytes.Repeat([]byte("x"), size-1), '\n') }},
		{"CRLF", crlf, func(size int) []byte { return append(bytes.Repeat([]byte("x"), size-2), "\r\n"...) }},
	}
}

// stream returns streamSize bytes of frames.
func (f format) stream(size int) []byte { return bytes.Repeat(f.frame(size), streamSize/size) }

// A way cuts a stream once and returns the number of frames.
type way func() (frames int, err error)

// A pusher feeds a Decoder as a reactor does, a read at a time.
type pusher struct {
	d      *framing.Decoder
	stream []byte
}

func push(s framing.Splitter, stream []byte) way {
	return (&pusher{framing.NewDecoder(s), stream}).cut
}

func (w *pusher) cut() (frames int, err error) {
	for p := w.stream; len(p) > 0; p = p[feedSize:] {
		for _, err := range w.d.Frames(p[:feedSize]) {
			if err != nil {
				return frames, err
			}
			frames++
		}
	}
	return frames, nil
}

// A puller reads frame by frame.
type puller struct {
	r      *framing.Reader
	src    *bytes.Reader
	stream []byte
}

func pull(s framing.Splitter, stream []byte) way {
	src := bytes.NewReader(nil)
	return (&puller{framing.NewReader(src, s), src, stream}).cut
}

func (w *puller) cut() (frames int, err error) {
	w.src.Reset(w.stream)
	for _, err := range w.r.All() {
		if err != nil {
			return frames, err
		}
		frames++
	}
	return frames, nil
}

// A scanner is a bufio.Scanner that has its whole buffer from the start.
type scanner struct {
	split       bufio.SplitFunc
	src         *bytes.Reader
	stream, buf []byte
}

func scan(split bufio.SplitFunc, stream []byte) way {
	return (&scanner{split, bytes.NewReader(nil), stream, make([]byte, feedSize+1)}).cut
}

func (w *scanner) cut() (frames int, err error) {
	w.src.Reset(w.stream)
	s := bufio.NewScanner(w.src)
	s.Buffer(w.buf, len(w.buf))
	s.Split(w.split)
	for s.Scan() {
		frames++
	}
	return frames, s.Err()
}

// bytewise looks at one byte after the other for a line's end.
func bytewise(stream []byte) way {
	return func() (frames int, err error) {
		for _, b := range stream {
			if b == '\n' {
				frames++
			}
		}
		return frames, nil
	}
}

// indexByte finds line ends with bytes.IndexByte, and does nothing else.
func indexByte(stream []byte) way {
	return func() (frames int, err error) {
		for p := stream; len(p) > 0; frames++ {
			p = p[bytes.IndexByte(p, '\n')+1:]
		}
		return frames, nil
	}
}

// pass runs w once and checks that it found all frames.
func pass(b *testing.B, w way, want int) {
	b.Helper()
	if n, err := w(); n != want || err != nil {
		b.Fatalf("%d frames, error %v; want %d", n, err, want)
	}
}

// one measures a single way.
func one(b *testing.B, size int, w way) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(streamSize)
	frames := streamSize / size
	for b.Loop() {
		pass(b, w, frames)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(frames), "ns/frame")
}

func each(b *testing.B, f func(b *testing.B, f format, size int)) {
	b.Helper()
	for _, form := range formats(b) {
		for _, size := range sizes() {
			b.Run(fmt.Sprintf("codec=%s/size=%d", form.name, size), func(b *testing.B) { f(b, form, size) })
		}
	}
}

func BenchmarkPush(b *testing.B) {
	each(b, func(b *testing.B, f format, size int) { b.Helper(); one(b, size, push(f.codec, f.stream(size))) })
}

func BenchmarkPull(b *testing.B) {
	each(b, func(b *testing.B, f format, size int) { b.Helper(); one(b, size, pull(f.codec, f.stream(size))) })
}

func BenchmarkScanner(b *testing.B) {
	each(b, func(b *testing.B, f format, size int) {
		b.Helper()
		one(b, size, scan(scannerSplit(f), f.stream(size)))
	})
}

// scannerSplit is what a Scanner's user takes for the format.
func scannerSplit(f format) bufio.SplitFunc {
	if f.name == "N" {
		return framing.SplitFunc(f.codec)
	}
	return bufio.ScanLines
}

func BenchmarkBytewise(b *testing.B) {
	each(b, func(b *testing.B, f format, size int) {
		b.Helper()
		if f.name == "N" {
			b.Skip("a length is not searched for")
		}
		one(b, size, bytewise(f.stream(size)))
	})
}

// BenchmarkDrip feeds a line that does not end by single bytes: the time of a
// byte must not grow with the line.
func BenchmarkDrip(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			crlf := formats(b)[2].codec
			for b.Loop() {
				d := framing.NewDecoder(crlf)
				for range size {
					for _, err := range d.Frames([]byte{'x'}) {
						b.Fatal("a frame without an end, or ", err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/B")
		})
	}
}
