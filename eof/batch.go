package eof

import "github.com/plait-go/plait/framing"

// batchBlock is how much Batch looks at in one step backwards. It must exceed
// maxDelimiter.
const batchBlock = 512 // bytes

// Batch returns a Splitter that answers with all the whole frames in hand at
// once: its frames are one or more frames of New(delim), up to the last one that
// is complete. What is behind it waits, and only that. This suits a receiver
// that takes messages by the heap and splits them itself, with New(delim), where
// and when it likes: finding the last frame costs a look at the tail, however
// many frames stand before it.
//
// It is the one Splitter here whose answer depends on how the stream was cut:
// the batches are different ones when the reads are. Laid end to end they are
// always the same bytes, those of the frames of New(delim). Fed byte by byte,
// each batch is one frame. Max of framing.Decoder and framing.Reader bounds a
// batch as it does a frame; many short frames that exceed it together are not
// refused, but come in several batches.
//
// Swoole's open_eof_check promises the same, but compares only the end of its
// buffer: there a whole frame waits until some read happens to stop at a
// delimiter.
//
// Delim is 1 to 255 bytes; the error says what is wrong with it. The Splitter is
// a framing.Resyncer, does not change, and may be shared by any number of
// goroutines.
func Batch(delim string) (framing.Splitter, error) {
	if _, err := New(delim); err != nil {
		return nil, err
	}
	return batch{needle(delim)}, nil
}

// A batch is a Splitter, and a framing.Resyncer.
type batch struct{ delim needle }

// Split returns where the last frame of data that is whole ends, or 0.
//
// It goes back from the end of data, never into the seen bytes without a frame,
// up to a delimiter that is sure to end a frame, and on from there frame by
// frame. To be sure takes more than to be last: delimiters like "\r\n\r\n" may
// overlap, and then those decide that come first.
func (b batch) Split(data []byte, seen int) (n int, err error) {
	for hi := len(data); hi > seen; {
		lo := max(seen, hi-batchBlock)
		n = b.delim.end(data[:hi], lo)
		if n > 0 && !b.overlapped(data[:lo], seen, n) {
			return b.last(data, n), nil
		}
		hi = lo
	}
	return 0, nil
}

// overlapped reports whether a delimiter that ends in data, but not within its
// first seen bytes, reaches into the one that ends at n, behind data.
func (b batch) overlapped(data []byte, seen, n int) bool {
	return b.delim.end(data, max(seen, n-len(b.delim))) > 0
}

// last returns where the last whole frame of data ends. One ends at n.
func (b batch) last(data []byte, n int) int {
	for {
		m := b.delim.end(data[n:], 0)
		if m == 0 {
			return n
		}
		n += m
	}
}

// Resync is [Codec.Resync]: it stops at the first delimiter, since the frames
// behind it are whole.
func (b batch) Resync(data []byte) (skip int, done bool) {
	return resync(len(data), b.delim.end(data, 0), len(b.delim)-1)
}
