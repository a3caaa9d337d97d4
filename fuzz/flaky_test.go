package fuzz_test

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// Crumbs are the decisions of a flaky source or sink, a byte each: how many bytes
// move in one call, save for these.
const (
	crumbNothing = 0   // nothing moves, without an error
	crumbBoth    = 254 // crumbSize bytes move, and the deadline has expired
	crumbTimeout = 255 // nothing moves: the deadline has expired
	crumbSize    = 3   // bytes
)

// decide takes one crumb and tells how many of most bytes move in a call. When
// there are no crumbs, all of them do.
func decide(crumbs *[]byte, most int) (n int, err error) {
	if len(*crumbs) == 0 {
		return most, nil
	}
	crumb := (*crumbs)[0]
	*crumbs = (*crumbs)[1:]
	switch crumb {
	case crumbTimeout:
		return 0, os.ErrDeadlineExceeded
	case crumbBoth:
		return min(crumbSize, most), os.ErrDeadlineExceeded
	}
	return min(int(crumb), most), nil
}

// A flakyReader is a source with short and empty reads, deadlines that expire,
// and an end that comes with the last bytes or behind them.
type flakyReader struct {
	data, crumbs []byte
	end          error
	early        bool // the end comes with the last bytes
	expired      int  // deadlines so far
}

func (r *flakyReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, r.end
	}
	n, err := decide(&r.crumbs, min(len(p), len(r.data)))
	copy(p, r.data[:n])
	r.data = r.data[n:]
	if r.early && len(r.data) == 0 {
		err = r.end
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.expired++
	}
	return n, err
}

// A brokenError is the end of a connection where it is not that of the stream.
type brokenError struct{}

func (brokenError) Error() string { return "connection broken" }

// A flakyWriter is a sink with short writes and deadlines that expire.
type flakyWriter struct {
	bytes.Buffer
	crumbs []byte
}

func (w *flakyWriter) Write(p []byte) (int, error) {
	n, err := decide(&w.crumbs, len(p))
	w.Buffer.Write(p[:n])
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}

// passing reports whether an I/O error is one after which to try again.
func passing(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.ErrNoProgress) || errors.Is(err, io.ErrShortWrite)
}
