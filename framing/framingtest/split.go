package framingtest

import (
	"strings"
)

// sampleCuts bounds the places of a long frame that are tried.
const sampleCuts = 512

// split asks for the length of each frame: alone, before all kinds of bytes,
// and cut short.
func (c *checker) split() {
	for i, f := range c.frames {
		if len(f) == 0 {
			c.errorf("sample %d is empty", i)
			continue
		}
		next := c.frames[(i+1)%len(c.frames)]
		for _, tail := range []string{"", "\x00", "\xff", "\r\n", f, next, strings.Repeat("\x00", 32), c.noise(32)} {
			if n, err := c.splitter().Split(clip(f+tail), 0); n != len(f) || err != nil {
				c.errorf("Split(%q, 0) = %d, %v; want %d, nil for the frame %q", f+tail, n, err, len(f), f)
				return
			}
		}
		told := false
		for _, k := range c.places(len(f)) {
			n, err := c.splitter().Split(clip(f[:k]), 0)
			if err != nil || n != 0 && n != len(f) || told && n == 0 {
				c.errorf("Split(%q, 0) = %d, %v; want 0 or, from where it is known, %d", f[:k], n, err, len(f))
				return
			}
			told = n > 0
		}
	}
}

// hint shows each frame in two steps, and in many: what seen says must not
// change the answer.
func (c *checker) hint() {
	for _, f := range c.frames {
		for _, k := range c.places(len(f)) {
			s := c.splitter()
			if n, err := s.Split(clip(f[:k]), 0); n != 0 || err != nil {
				break
			}
			n, err := s.Split(clip(f), k)
			if n != len(f) || err != nil {
				c.errorf("Split(%q, %d) = %d, %v; want %d, nil as with seen 0", f, k, n, err, len(f))
				return
			}
		}
		s, seen := c.splitter(), 0
		for seen < len(f) {
			k := min(len(f), seen+1+c.rand.IntN(3))
			n, err := s.Split(clip(f[:k]), seen)
			if err != nil || n != 0 && n != len(f) || n == 0 && k == len(f) {
				c.errorf("Split(%q, %d) = %d, %v; want 0 or %d", f[:k], seen, n, err, len(f))
				return
			}
			if n > 0 {
				break
			}
			seen = k
		}
	}
}

// data compares what was shown with what it was.
func (c *checker) data() {
	for _, f := range c.frames {
		all := f + c.noise(8)
		for _, k := range append(c.places(len(f)), len(f), len(all)) {
			shown := clip(all[:k])
			if _, err := c.splitter().Split(shown, 0); err == nil && string(shown) != all[:k] {
				c.errorf("Split(%q, 0) changed it to %q", all[:k], shown)
				return
			}
		}
	}
}

// places returns the lengths of the proper beginnings of a frame of n bytes, or
// a sample of them in rising order.
func (c *checker) places(n int) []int {
	step := max(1, n/sampleCuts)
	var ks []int
	for k := 1; k < n; k += 1 + c.rand.IntN(2*step-1) {
		ks = append(ks, k)
	}
	return ks
}

// noise returns n random bytes.
func (c *checker) noise(n int) string {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(c.rand.Uint32())
	}
	return string(p)
}

// clip returns a slice of s's bytes with nothing behind it, so that who looks
// beyond its length panics.
func clip(s string) []byte { return []byte(s)[:len(s):len(s)] }
