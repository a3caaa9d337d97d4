package fuzz_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"slices"

	"github.com/plait-go/plait/framing"
)

// An answer is what the first bytes of a frame tell about it.
type answer struct {
	size uint64 // of the frame, saturated; 0 if it is not known
	err  error  // what breaks it
}

// An oracle tells what Split ought to, in the plainest way there is. It is asked
// about one byte, two bytes, and so on, until it has an answer; data too short
// to tell is the zero answer.
type oracle func(data []byte) answer

// ask returns the first answer that the front of data holds, and how many bytes
// that took.
func (o oracle) ask(data []byte) (a answer, deciding int) {
	for k := 1; k <= len(data); k++ {
		if a := o(data[:k]); a != (answer{}) {
			return a, k
		}
	}
	return answer{}, len(data)
}

// endsWith is the oracle for frames that end with one of delims.
func endsWith(delims ...string) oracle {
	return func(data []byte) answer {
		for _, d := range delims {
			if bytes.HasSuffix(data, []byte(d)) {
				return answer{size: uint64(len(data))}
			}
		}
		return answer{}
	}
}

// A code is a Type of lengthfield.Format, as its documentation has it.
type code struct {
	name   byte
	width  int
	little bool
	signed bool
}

func codes() []code {
	host := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	return []code{
		{'c', 1, host, true},
		{'C', 1, host, false},
		{'s', 2, host, true},
		{'S', 2, host, false},
		{'n', 2, false, false},
		{'v', 2, true, false},
		{'t', 3, false, false},
		{'T', 3, true, false},
		{'l', 4, host, true},
		{'L', 4, host, false},
		{'i', 4, host, true},
		{'I', 4, host, false},
		{'N', 4, false, false},
		{'V', 4, true, false},
		{'q', 8, host, true},
		{'Q', 8, host, false},
		{'J', 8, false, false},
		{'P', 8, true, false},
	}
}

// value reads a field as a number without bounds.
func (k code) value(field []byte) *big.Int {
	field = slices.Clone(field)
	if k.little {
		slices.Reverse(field)
	}
	v := new(big.Int).SetBytes(field)
	if k.signed && field[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*k.width)))
	}
	return v
}

// oracle is the oracle for frames of body + length bytes.
func (k code) oracle(offset, body int) oracle {
	head := offset + k.width
	return func(data []byte) answer {
		if len(data) < head {
			return answer{}
		}
		v := k.value(data[offset:head])
		total := new(big.Int).Add(v, big.NewInt(int64(body)))
		switch {
		case v.Sign() < 0, total.Cmp(big.NewInt(int64(head))) < 0:
			return answer{err: framing.ErrCorrupt}
		case !total.IsUint64():
			return answer{size: math.MaxUint64}
		}
		return answer{size: total.Uint64()}
	}
}

// uvarint is the oracle for frames whose length is a varint, by the standard
// library's reading of one.
func uvarint(offset, width int, padded bool) oracle {
	return func(data []byte) answer {
		if len(data) <= offset {
			return answer{}
		}
		field := data[offset:]
		v, n := binary.Uvarint(field[:min(len(field), width)])
		switch {
		case n == 0 && len(field) < width:
			return answer{}
		case n <= 0, n > 1 && field[n-1] == 0 && !padded:
			return answer{err: framing.ErrCorrupt}
		}
		total := new(big.Int).SetUint64(v)
		total.Add(total, big.NewInt(int64(offset+n)))
		if !total.IsUint64() {
			return answer{size: math.MaxUint64}
		}
		return answer{size: total.Uint64()}
	}
}

// balanced is the oracle for brackets.
func balanced(data []byte) answer {
	opened, closed := bytes.Count(data, []byte("(")), bytes.Count(data, []byte(")"))
	switch {
	case data[0] != '(':
		return answer{err: framing.ErrCorrupt}
	case opened == closed:
		return answer{size: uint64(len(data))}
	}
	return answer{}
}

// brackets is a codec with state, as nested formats have it: a frame is "(",
// anything with its brackets in pairs, and ")". It serves one stream.
type brackets struct{ depth int }

// Split goes on where the last call stopped, and from the start if seen is 0.
func (b *brackets) Split(data []byte, seen int) (int, error) {
	if seen == 0 {
		b.depth = 0
	}
	if data[0] != '(' {
		return -1, nil
	}
	for i, c := range data[seen:] {
		switch c {
		case '(':
			b.depth++
		case ')':
			if b.depth--; b.depth == 0 {
				return seen + i + 1, nil
			}
		}
	}
	return 0, nil
}

func (b *brackets) Payload(frame []byte) []byte {
	return frame[1 : len(frame)-1 : len(frame)-1]
}

func (b *brackets) AppendFrame(dst, payload []byte) ([]byte, error) {
	if bytes.ContainsAny(payload, "()") {
		return dst, framing.ErrCorrupt
	}
	return append(append(append(dst, '('), payload...), ')'), nil
}
