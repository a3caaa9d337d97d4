package framingtest

import (
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/plait-go/plait/framing"
)

// longest returns the longest sample, and the length of the next longest.
func (c *checker) longest() (frame string, next int) {
	byLen := slices.Clone(c.frames)
	slices.SortStableFunc(byLen, func(a, b string) int { return len(b) - len(a) })
	frame = byLen[0]
	for _, f := range byLen {
		if len(f) < len(frame) {
			return frame, len(f)
		}
	}
	return frame, 0
}

// limit sets Max to the length of a frame, and to one byte less.
func (c *checker) limit() {
	for _, f := range c.frames {
		want := result{frames: []string{f}, err: io.EOF}
		c.every(setting{max: len(f)}, f, func(how string, r result) bool {
			if !c.same(r, want) {
				c.errorf("Max %d, %s: %v; want %v", len(f), how, r, want)
				return false
			}
			return true
		})
		if len(f) == 1 {
			continue
		}
		c.every(setting{max: len(f) - 1}, f, func(how string, r result) bool {
			if len(r.frames) > 0 || !errors.Is(r.err, framing.ErrTooLong) {
				c.errorf("Max %d, %s, frame %q: %v; want ErrTooLong", len(f)-1, how, f, r)
				return false
			}
			return true
		})
	}
}

// discard puts the longest sample, over Max, between all others.
func (c *checker) discard() {
	long, next := c.longest()
	if next == 0 {
		return
	}
	var frames, good []string
	for _, f := range c.stream() {
		frames = append(frames, f, long)
		if len(f) < len(long) {
			good = append(good, f)
		}
	}
	over := len(frames) - len(good)
	_, resyncs := c.splitter().(framing.Resyncer)
	var first *result
	c.every(setting{max: len(long) - 1, discard: true}, strings.Join(frames, ""), func(how string, r result) bool {
		recovered := len(r.errs) == over && r.err == io.EOF && strings.Join(r.frames, "") == strings.Join(good, "")
		final := len(r.errs) == 1 && errors.Is(r.err, framing.ErrTooLong) && !resyncs
		if !recovered && !final {
			c.errorf("%s: %v; want frames %q and %d errors, or one that is final", how, r, good, over)
			return false
		}
		if first == nil {
			first = &r
		}
		if !slices.Equal(first.errs, r.errs) || len(first.frames) != len(r.frames) && !c.batches {
			c.errorf("%s: %v; but pushed whole: %v", how, r, first)
			return false
		}
		return true
	})
}

// broken compares what all ways to cut a broken stream give.
func (c *checker) broken(stream string, limit int, want error) {
	var first *result
	c.every(setting{max: limit}, stream, func(how string, r result) bool {
		if !errors.Is(r.err, want) {
			c.errorf("%q, %s: %v; want %v", stream, how, r, want)
			return false
		}
		r.left = "" // bytes behind the bad frame that had been fed
		if first == nil {
			first = &r
		}
		if !c.same(*first, r) {
			c.errorf("%q, %s: %v; but pushed whole: %v", stream, how, r, first)
			return false
		}
		return true
	})
}

const (
	rounds   = 16       // other goroutines allocate too; the least of many rounds is ours
	maxClaim = 64 << 20 // bytes
)

// memory counts what Split allocates, and what a Decoder does for a frame of
// which only the beginning comes.
func (c *checker) memory() {
	for _, f := range c.frames {
		for _, data := range [][]byte{clip(f), clip(f[:(len(f)+1)/2])} {
			s := c.splitter()
			mallocs, _ := least(func() {
				for range 100 {
					_, _ = s.Split(data, 0)
				}
			})
			if mallocs >= 100 {
				c.errorf("100 times Split(%q, 0) made %d allocations; want none", data, mallocs)
				return
			}
		}
	}
	f, _ := c.longest()
	head := clip(f[:len(f)/2])
	s := c.splitter()
	_, size := least(func() {
		d := framing.NewDecoder(s)
		d.Max = maxClaim
		for part, err := range d.Frames(head) {
			c.errorf("half of the frame %q gives %q, %v", f, part, err)
		}
	})
	if bound := uint64(2*len(head) + 1024); size > bound {
		c.errorf("%d bytes of a frame of %d cost %d bytes of memory; want at most %d", len(head), len(f), size, bound)
	}
}

// least returns the fewest allocations, and bytes allocated, that f is seen to
// make.
func least(f func()) (mallocs, size uint64) {
	var a, b runtime.MemStats
	for i := range rounds {
		runtime.ReadMemStats(&a)
		f()
		runtime.ReadMemStats(&b)
		m, s := b.Mallocs-a.Mallocs, b.TotalAlloc-a.TotalAlloc
		if i == 0 {
			mallocs, size = m, s
		}
		mallocs, size = min(mallocs, m), min(size, s)
	}
	return mallocs, size
}
