package fuzz_test

import (
	"fmt"
	"strings"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// The kinds of codec that a shape chooses from.
const (
	oneDelimiter = iota
	severalDelimiters
	anyByte
	lines
	lengthField
	varint
	nested
	kinds
)

// The habits that a shape's third byte switches on.
const (
	discards = 1 << iota // Discard is set
	hides                // a Resyncer is passed as a mere Splitter
	vandal               // the consumer overwrites every frame
	breaks               // the consumer leaves the loop after every turn
	folds                // the stream's bytes become letters of the codec
)

// A codec is what the packages under test offer together.
type codec interface {
	framing.Splitter
	framing.Appender
	Payload(frame []byte) []byte
}

// A setup is a codec, how a Decoder or a Reader uses it, and how a consumer
// behaves. It comes from a shape: a few bytes, so that a fuzzer can mutate it
// and a generator can shrink it.
type setup struct {
	name    string // the codec, as a program would make it
	kind    int
	make    func() codec // one for each stream
	oracle  oracle
	letters string // what streams are made of to meet many boundaries
	offset  int    // bytes before the length
	padded  bool   // there is more than one way to write a length
	max     int
	habits  int
}

func (s setup) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, Max %d", s.name, s.max)
	for i, name := range []string{"Discard", "no Resyncer", "overwriting frames", "leaving loops", "folded"} {
		if s.habits&(1<<i) != 0 {
			b.WriteString(", " + name)
		}
	}
	return b.String()
}

// is reports whether s has a habit.
func (s setup) is(habit int) bool { return s.habits&habit != 0 }

// limit is the limit that s.max stands for.
func (s setup) limit() int {
	if s.max <= 0 {
		return framing.DefaultMax
	}
	return s.max
}

// resyncs reports whether a Decoder can skip a frame of unknown length.
func (s setup) resyncs() bool { return s.delimited() && !s.is(hides) }

func (s setup) delimited() bool { return s.kind <= lines }

// choices are decisions to be read off a shape. When it runs out they are all 0,
// the simplest one.
type choices []byte

// pick decides for one of 0 to n-1.
func (c *choices) pick(n int) int {
	if len(*c) == 0 {
		return 0
	}
	v := int((*c)[0]) % n
	*c = (*c)[1:]
	return v
}

// newSetup is the setup that a shape stands for; there is one for every shape:
// kind, Max, habits, and what the kind asks for.
func newSetup(shape []byte) setup {
	c := choices(shape)
	s := setup{kind: c.pick(kinds), max: maxOf(c.pick(256)), habits: c.pick(256) % (2 * folds)}
	switch s.kind {
	case oneDelimiter:
		s.delimiters(c.delimiter())
	case severalDelimiters:
		first := c.delimiter()
		more := make([]string, 1+c.pick(3))
		for i := range more {
			more[i] = c.delimiter()
		}
		s.delimiters(first, more...)
	case anyByte:
		s.any(c.literal())
	case lines:
		s.name, s.letters, s.oracle = "eof.Lines()", "a\r\n", endsWith("\n")
		s.make = func() codec { return eof.Lines() }
	case lengthField:
		k := codes()[c.pick(len(codes()))]
		s.length(k, c.pick(8), c.pick(32)-8)
	case varint:
		s.varint(c.pick(8), 1+c.pick(10), c.pick(2) == 1)
	case nested:
		s.name, s.letters, s.oracle = "brackets", "a()", balanced
		s.make = func() codec { return &brackets{} }
	}
	return s
}

// maxOf spreads one byte over the default, small limits, and larger ones.
func maxOf(v int) int {
	switch {
	case v < 64:
		return (v + 3) / 4
	case v < 160:
		return v - 47
	case v < 224:
		return 0
	}
	return (v - 223) * 64
}

func (s *setup) delimiters(first string, more ...string) {
	all := append([]string{first}, more...)
	s.name = fmt.Sprintf("eof.New(%q)", all)
	s.letters = strings.Join(all, "") + "a"
	s.oracle = endsWith(all...)
	c, err := eof.New(first, more...)
	if err != nil {
		panic(err)
	}
	s.make = func() codec { return c }
}

func (s *setup) any(set string) {
	s.name = fmt.Sprintf("eof.Any(%q)", set)
	s.letters = set + "a"
	s.oracle = func(data []byte) answer {
		if strings.IndexByte(set, data[len(data)-1]) >= 0 {
			return answer{size: uint64(len(data))}
		}
		return answer{}
	}
	c, err := eof.Any(set)
	if err != nil {
		panic(err)
	}
	s.make = func() codec { return c }
}

func (s *setup) length(k code, offset, body int) {
	f := lengthfield.Format{Type: k.name, Offset: offset, Body: body}
	s.name = fmt.Sprintf("lengthfield.New(%+v)", f)
	s.letters = "\x00\x01\x02\x05\x20\x80\xff"
	s.oracle, s.offset = k.oracle(offset, body), offset
	c, err := lengthfield.New(f)
	if err != nil {
		panic(err)
	}
	s.make = func() codec { return c }
}

func (s *setup) varint(offset, width int, padded bool) {
	s.name, s.letters = "lengthfield.Varint", "\x00\x01\x03\x7f\x80\x81\xff"
	construct := lengthfield.Varint
	if padded {
		s.name, construct = "lengthfield.PaddedVarint", lengthfield.PaddedVarint
	}
	s.name = fmt.Sprintf("%s(%d, %d)", s.name, offset, width)
	s.oracle, s.offset, s.padded = uvarint(offset, width, padded), offset, padded
	c, err := construct(offset, width)
	if err != nil {
		panic(err)
	}
	s.make = func() codec { return c }
}

// delimiter decides for a delimiter: half of them are of two letters, so that
// they overlap with themselves and with each other.
func (c *choices) delimiter() string {
	switch c.pick(4) {
	case 0, 1:
		n, bits := 1+c.pick(8), c.pick(256)
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab"[bits>>i&1]
		}
		return string(b)
	case 2:
		known := []string{"\n", "\r\n", "\r\n\r\n", "\x00", ";", "END", "\n.\n", "--boundary--"}
		return known[c.pick(len(known))]
	}
	return c.literal()
}

// literal decides for 1 to 8 bytes.
func (c *choices) literal() string {
	b := make([]byte, 1+c.pick(8))
	for i := range b {
		b[i] = byte(c.pick(256))
	}
	return string(b)
}
