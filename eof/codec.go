package eof

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxDelimiter bounds a delimiter, and with it what a search looks at twice.
const maxDelimiter = 255 // bytes

// A kind selects the search that suits the delimiters.
type kind uint8

const (
	several  kind = iota // delimiters of any length
	oneByte              // one delimiter of one byte
	twoBytes             // one delimiter of two bytes
	oneText              // one longer delimiter
	byteSet              // delimiters of one byte each
)

// A Codec splits a stream at delimiters, and appends frames that end with one.
// [New], [Any] and [Lines] make one; the zero Codec has no delimiter and is of
// no use.
//
// A Codec does not change: any number of goroutines and streams may share it. It
// is a framing.Splitter, a framing.Resyncer and a framing.Appender.
type Codec struct {
	kind        kind
	word        uint64    // eight times last
	first, last byte      // of the delimiter of two bytes; last, too, of the one of one byte
	keep        int       // bytes of a search without success that may begin a delimiter
	search      []needle  // the delimiters that decide where a frame ends
	set         [256]bool // the delimiters of one byte
	long        []needle  // the longer ones, the longest first
	mark        string    // the delimiter that AppendFrame appends
}

// New returns a Codec for frames that end with delim or one of more: 1 to 255
// bytes each, compared byte for byte.
//
// The delimiter that ends first ends the frame, and of those that end at the
// same byte the longest does: with "\n" and "\r\n" it is the CR, too, that
// [Codec.Payload] drops. Their order does not matter, save that
// [Codec.AppendFrame] appends delim. A delimiter that has another one inside,
// before its last byte, ends no frame ever.
//
// The error names the delimiter that is empty or too long.
func New(delim string, more ...string) (*Codec, error) {
	delims := append([]string{delim}, more...)
	for i, d := range delims {
		if d == "" {
			return nil, fmt.Errorf("eof: delimiter %d of %d is empty", i+1, len(delims))
		}
		if len(d) > maxDelimiter {
			return nil, fmt.Errorf("eof: delimiter %d of %d is %d bytes long, limit %d",
				i+1, len(delims), len(d), maxDelimiter)
		}
	}
	return build(delims), nil
}

// Any returns a Codec for frames that end with any one byte of set. These are
// bytes, not runes: a letter outside ASCII is several of them, and each ends a
// frame. Repeated bytes do no harm; [Codec.AppendFrame] appends the first one.
// An empty set is an error.
func Any(set string) (*Codec, error) {
	if set == "" {
		return nil, errors.New("eof: the set of delimiters is empty")
	}
	delims := make([]string, len(set))
	for i := range delims {
		delims[i] = set[i : i+1]
	}
	return build(delims), nil
}

// Lines returns a Codec for lines of text. A line ends with LF, and its payload
// lacks the LF and one CR before it, which is a line as bufio.ScanLines sees it,
// except that bytes behind the last LF are no line. [Codec.AppendFrame] appends
// LF alone.
//
// It is not for SMTP, or any protocol that ends a line with CRLF and nothing
// else: a peer that takes a bare LF for text sees one command where Lines sees
// two, and the second one has passed its checks unseen. New("\r\n") is exact.
func Lines() *Codec { return build([]string{"\n", "\r\n"}) }

// build makes the Codec of delims, of which there is at least one and none is
// empty. It reorders delims.
func build(delims []string) *Codec {
	c := &Codec{mark: delims[0]}
	slices.SortFunc(delims, func(a, b string) int { return len(a) - len(b) })
	for _, d := range delims {
		c.add(d)
	}
	slices.Reverse(c.long)
	c.keep = len(c.search[len(c.search)-1]) - 1
	c.kind = c.choose()
	return c
}

// add takes in d, which is at least as long as those before it. Only a
// delimiter that has none of them inside can be the first to end, so the others
// need no search: with "\n" and "\r\n" it is all about "\n".
func (c *Codec) add(d string) {
	if len(d) == 1 {
		c.set[d[0]] = true
	} else {
		c.long = append(c.long, needle(d))
	}
	inside := func(s needle) bool { return strings.Contains(d, string(s)) }
	if !slices.ContainsFunc(c.search, inside) {
		c.search = append(c.search, needle(d))
	}
}

// choose returns the kind of search for c.search, and sets what it needs.
func (c *Codec) choose() kind {
	if len(c.search) > 1 {
		if c.keep == 0 {
			return byteSet
		}
		return several
	}
	d := c.search[0]
	c.first, c.last = d[0], d[len(d)-1]
	c.word = ones * uint64(c.last)
	switch len(d) {
	case 1:
		return oneByte
	case 2:
		return twoBytes
	}
	return oneText
}

// Split returns the length of the first frame of data in bytes, its delimiter
// included, or 0 if no delimiter ends in data. Seen is the length of data in the
// previous call for this frame, which returned 0, and 0 in the first: at most
// the 254 bytes before it are looked at again. The error is always nil. Split
// does not allocate.
func (c *Codec) Split(data []byte, seen int) (n int, err error) {
	if c.kind == oneByte || c.kind == twoBytes {
		n, from := c.near(data, seen)
		if n == 0 {
			i := bytes.IndexByte(data[from:], c.last)
			if i < 0 {
				return 0, nil
			}
			n = from + i + 1
		}
		if c.kind == oneByte || n > 1 && data[n-2] == c.first {
			return n, nil
		}
		return c.search[0].end(data, n), nil
	}
	switch c.kind {
	case oneText:
		return c.search[0].end(data, seen), nil
	case byteSet:
		return endOfAny(&c.set, data, seen), nil
	default:
		return endOfFirst(c.search, data, seen), nil
	}
}

// Resync returns how many bytes of data to throw away when data begins inside a
// frame whose start is gone: everything up to the end of the first delimiter
// and true, or false and everything but the last bytes, which may begin a
// delimiter: one fewer than the longest delimiter has. They have to stand in
// front of the next call's data. Resync does not allocate.
func (c *Codec) Resync(data []byte) (skip int, done bool) {
	n, _ := c.Split(data, 0)
	return resync(len(data), n, c.keep)
}

// resync answers for data of size bytes where the first delimiter ends at end,
// or none does if that is 0.
func resync(size, end, keep int) (skip int, done bool) {
	if end > 0 {
		return end, true
	}
	return max(0, size-keep), false
}

// Payload returns frame without the longest delimiter that it ends with, or all
// of frame if there is none. The result aliases frame, and its capacity is its
// length: appending to it copies, and never overwrites what follows.
func (c *Codec) Payload(frame []byte) []byte {
	n := len(frame) - c.tail(frame)
	return frame[:n:n]
}

// tail returns the length of the longest delimiter that ends frame, or 0.
func (c *Codec) tail(frame []byte) int {
	for _, d := range c.long {
		if bytes.HasSuffix(frame, d) {
			return len(d)
		}
	}
	if n := len(frame); n > 0 && c.set[frame[n-1]] {
		return 1
	}
	return 0
}
