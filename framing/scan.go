package framing

import (
	"bufio"
	"io"
)

// SplitFunc makes s the SplitFunc of a [bufio.Scanner], whose tokens are then
// whole frames. The limit on a frame is the Scanner's own, see
// [bufio.Scanner.Buffer]. A stream that ends inside a frame ends the scan
// with [io.ErrUnexpectedEOF] and without the partial token. The result is
// shared as s is.
//
// A Scanner looks at a frame from its start after every read; [Reader] does not.
func SplitFunc(s Splitter) bufio.SplitFunc {
	return func(data []byte, atEOF bool) (advance int, token []byte, err error) {
		if len(data) == 0 {
			return 0, nil, nil
		}
		n, err := s.Split(data, 0)
		switch {
		case err != nil:
			_, err = claimed(err) // which knows no place in the stream
			return 0, nil, err
		case n < 0:
			return 0, nil, ErrCorrupt
		case 0 < n && n <= len(data):
			return n, data[:n:n], nil
		case atEOF:
			return 0, nil, io.ErrUnexpectedEOF
		}
		return 0, nil, nil
	}
}
