package eof

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// blockSize is where a search for several delimiters starts: long enough for
// vector instructions to pay, short enough to waste nothing on short frames.
const blockSize = 128 // bytes

// A needle is a delimiter to search for. It is never empty, and never written to.
type needle []byte

// end returns where the first d in data ends, or 0 if there is none. No d ends
// within the first seen bytes.
//
// It looks for the last byte of d, so that nothing before seen has to be looked
// for again. Data full of that byte would cost a comparison a byte: once false
// hits come closer than 16 bytes apart, bytes.Index takes over.
func (d needle) end(data []byte, seen int) int {
	size := len(d)
	start := max(seen, size-1)
	for at, misses := start, 0; at < len(data); misses++ {
		if misses > 4+(at-start)/16 {
			return d.index(data, at-size+1)
		}
		i := bytes.IndexByte(data[at:], d[size-1])
		if i < 0 {
			return 0
		}
		at += i + 1
		if bytes.Equal(data[at-size:at], d) {
			return at
		}
	}
	return 0
}

// index returns where the first d ends that begins at from or later, or 0.
func (d needle) index(data []byte, from int) int {
	i := bytes.Index(data[from:], d)
	if i < 0 {
		return 0
	}
	return from + i + len(d)
}

// endOfAny returns where the first byte of set ends in data, or 0. The first
// seen bytes hold none.
func endOfAny(set *[256]bool, data []byte, seen int) int {
	for i, b := range data[seen:] {
		if set[b] {
			return seen + i + 1
		}
	}
	return 0
}

// endOfFirst returns where the first of needles to end does so in data, or 0.
// None ends within the first seen bytes.
//
// It goes by blocks that double, so that a needle which is nowhere to be found
// is not looked for in all of data once for every frame: the cost of a frame
// stays proportional to its length.
func endOfFirst(needles []needle, data []byte, seen int) int {
	for size := blockSize; seen < len(data); size *= 2 {
		block := data[:min(len(data), seen+size)]
		if n := endWithin(needles, block, seen); n > 0 {
			return n
		}
		seen = len(block)
	}
	return 0
}

// endWithin is endOfFirst for one block. What one needle finds bounds the search
// for the next.
func endWithin(needles []needle, block []byte, seen int) (n int) {
	for _, d := range needles {
		if m := d.end(block, seen); m > 0 {
			n, block = m, block[:m-1]
		}
	}
	return n
}

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// near returns where the first c.last ends in the first sixteen bytes of data, or
// 0 and where to look on. It is for short frames, where a call of bytes.IndexByte
// costs more than what it finds.
//
// A byte equal to c.last is zero in x, and the lowest zero byte is the lowest
// one to lose its top bit when one is subtracted from each.
func (c *Codec) near(data []byte, seen int) (n, from int) {
	if seen > 0 || len(data) < 16 {
		return 0, seen
	}
	x := binary.LittleEndian.Uint64(data) ^ c.word
	if x = (x - ones) &^ x & tops; x != 0 {
		return bits.TrailingZeros64(x)/8 + 1, 0
	}
	x = binary.LittleEndian.Uint64(data[8:]) ^ c.word
	if x = (x - ones) &^ x & tops; x != 0 {
		return bits.TrailingZeros64(x)/8 + 9, 0
	}
	return 0, 16
}
