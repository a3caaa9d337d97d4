package framingtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"

	"github.com/plait-go/plait/framing"
)

// A result is all that a stream gave: its frames, the errors on the way, and how
// it ended.
type result struct {
	frames []string
	errs   []string
	err    error  // last
	left   string // not cut
}

func (r result) String() string {
	return fmt.Sprintf("frames %q, errors %q, end %v, left %q", r.frames, r.errs, r.err, r.left)
}

// same compares two results. Batches are compared by their bytes.
func (c *checker) same(a, b result) bool {
	ea, eb := fmt.Sprint(a.err), fmt.Sprint(b.err)
	if c.batches {
		return strings.Join(a.frames, "") == strings.Join(b.frames, "") && slices.Equal(a.errs, b.errs) && ea == eb && a.left == b.left
	}
	return slices.Equal(a.frames, b.frames) && slices.Equal(a.errs, b.errs) && ea == eb && a.left == b.left
}

// A setting is how a Decoder or Reader is set up.
type setting struct {
	max     int
	discard bool
}

// push feeds the pieces to a Decoder.
func (c *checker) push(set setting, pieces []string) result {
	d := framing.NewDecoder(c.splitter())
	d.Max, d.Discard = set.max, set.discard
	var r result
	stream := 0
	for _, p := range pieces {
		stream += len(p)
		for f, err := range d.Frames([]byte(p)) {
			r.add(f, err)
			overwrite(f)
			if r.endless(stream) {
				return r
			}
		}
		if err := d.Close(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			break // final
		}
	}
	r.err, r.left = d.Close(), string(d.Buffered())
	if r.err == nil {
		r.err = io.EOF
	}
	return r
}

// pull reads the stream with a Reader.
func (c *checker) pull(set setting, rd io.Reader) result {
	r := framing.NewReader(rd, c.splitter())
	r.Max, r.Discard = set.max, set.discard
	var got result
	for f, err := range r.All() {
		got.add(f, err)
		overwrite(f)
		if got.endless(maxStream) {
			break
		}
	}
	_, got.err = r.Next()
	got.left = string(r.Buffered())
	return got
}

// maxStream is more than any stream of samples has frames.
const maxStream = 1 << 20

// endless reports whether a stream of size bytes gave more than it can hold.
func (r *result) endless(size int) bool {
	if len(r.frames)+len(r.errs) <= size+1 {
		return false
	}
	r.err = errEndless
	return true
}

// add takes one turn of a loop. The end of the stream is no turn of a Decoder's.
func (r *result) add(frame []byte, err error) {
	switch {
	case err == nil:
		r.frames = append(r.frames, string(frame))
	case !errors.Is(err, io.ErrUnexpectedEOF):
		r.errs = append(r.errs, err.Error())
	}
}

// overwrite does with a frame what its owner may do.
func overwrite(frame []byte) {
	for i := range frame {
		frame[i] = 0xa5
	}
	_ = append(frame, 0xa5)
}

// every calls f with stream cut in all ways, and with a name for the way, until f
// returns false.
func (c *checker) every(set setting, stream string, f func(how string, r result) bool) {
	if !f("pushed whole", c.push(set, []string{stream})) ||
		!f("pulled whole", c.pull(set, strings.NewReader(stream))) ||
		!f("pushed byte by byte", c.push(set, strings.Split(stream, ""))) ||
		!f("pulled byte by byte", c.pull(set, iotest.OneByteReader(strings.NewReader(stream)))) ||
		!f("pulled in halves", c.pull(set, iotest.HalfReader(strings.NewReader(stream)))) ||
		!f("pulled with the end in the last read", c.pull(set, iotest.DataErrReader(strings.NewReader(stream)))) {
		return
	}
	for _, k := range c.places(len(stream)) {
		if !f(fmt.Sprintf("pushed in two, cut at %d", k), c.push(set, []string{stream[:k], stream[k:]})) {
			return
		}
	}
	for range 16 {
		pieces := c.pieces(stream)
		if !f(fmt.Sprintf("pushed as %q", pieces), c.push(set, pieces)) ||
			!f(fmt.Sprintf("pulled as %q", pieces), c.pull(set, &pieceReader{pieces})) {
			return
		}
	}
}

// pieces cuts stream at random, into empty pieces too.
func (c *checker) pieces(stream string) []string {
	var ps []string
	for len(stream) > 0 {
		k := min(len(stream), c.rand.IntN(1+c.rand.IntN(1+len(stream))))
		ps = append(ps, stream[:k])
		stream = stream[k:]
	}
	return ps
}

// A pieceReader returns one piece a Read, and the end after the last one.
type pieceReader struct{ pieces []string }

func (r *pieceReader) Read(p []byte) (int, error) {
	if len(r.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.pieces[0])
	if r.pieces[0] = r.pieces[0][n:]; r.pieces[0] == "" {
		r.pieces = r.pieces[1:]
	}
	return n, nil
}

// stream returns the samples behind one another, forwards and backwards.
func (c *checker) stream() []string {
	s := slices.Clone(c.frames)
	slices.Reverse(s)
	return append(slices.Clone(c.frames), s...)
}

// cut compares what all ways to cut a stream give with what went in.
func (c *checker) cut() {
	frames := c.stream()
	want := result{frames: frames, err: io.EOF}
	c.every(setting{}, strings.Join(frames, ""), func(how string, r result) bool {
		if !c.same(r, want) {
			c.errorf("%s: %v; want %v", how, r, want)
			return false
		}
		return true
	})
}

// end ends the stream at every byte.
func (c *checker) end() {
	stream, ends := "", map[int]int{0: 0}
	for i, f := range c.frames {
		stream += f
		ends[len(stream)] = i + 1
	}
	whole, boundary := 0, 0
	for k := range len(stream) + 1 {
		n, ok := ends[k]
		want := result{err: io.ErrUnexpectedEOF}
		if ok {
			whole, boundary, want.err = n, k, io.EOF
		}
		want.frames, want.left = c.frames[:whole], stream[boundary:k]
		for how, r := range map[string]result{
			"pushed":              c.push(setting{}, []string{stream[:k]}),
			"pulled":              c.pull(setting{}, strings.NewReader(stream[:k])),
			"pulled byte by byte": c.pull(setting{}, iotest.OneByteReader(strings.NewReader(stream[:k]))),
		} {
			if !c.same(r, want) {
				c.errorf("%s, %q: %v; want %v", how, stream[:k], r, want)
			}
		}
		if c.failed() {
			return
		}
	}
}

// alias looks at the room behind frames, which push and pull have written to.
func (c *checker) alias() {
	stream := strings.Join(c.stream(), "")
	d := framing.NewDecoder(c.splitter())
	for f, err := range d.Frames([]byte(stream)) {
		if err != nil || cap(f) != len(f) {
			c.errorf("pushed frame %q of length %d has capacity %d, error %v", f, len(f), cap(f), err)
			return
		}
	}
	r := framing.NewReader(bytes.NewReader([]byte(stream)), c.splitter())
	for f, err := range r.All() {
		if err != nil || cap(f) != len(f) {
			c.errorf("pulled frame %q of length %d has capacity %d, error %v", f, len(f), cap(f), err)
			return
		}
	}
}
