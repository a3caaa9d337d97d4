//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/plait-go/plait/sysvmsg"
)

// line is a bufio.SplitFunc for lines, which lose nothing but the line feed.
func line(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	return all(data, atEOF && len(data) > 0)
}

// all is a bufio.SplitFunc for one piece, which may be empty.
func all(data []byte, atEOF bool) (int, []byte, error) {
	if !atEOF {
		return 0, nil, nil
	}
	return len(data), data, bufio.ErrFinalToken
}

// A piece is some of the input, or its end.
type piece struct {
	p   []byte
	err error // io.EOF at the end
}

// pieces iterates over in, cut by split, until ctx ends. A piece has limit bytes at
// most.
func pieces(ctx context.Context, in io.Reader, split bufio.SplitFunc, limit int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		// A read of a terminal or a pipe knows no context, so a goroutine does it. It ends
		// with the input, with the read that it is in when ctx ends, or with the process.
		next := make(chan piece)
		go scan(ctx, in, split, limit, next)
		for {
			var x piece
			select {
			case x = <-next:
			case <-ctx.Done():
				x.err = context.Cause(ctx)
			}
			if x.err == io.EOF || !yield(x.p, x.err) || x.err != nil {
				return
			}
		}
	}
}

// scan sends the pieces of in to next, the last one with an error, until ctx ends.
func scan(ctx context.Context, in io.Reader, split bufio.SplitFunc, limit int, next chan<- piece) {
	scanner := bufio.NewScanner(in)
	scanner.Split(split)
	scanner.Buffer(nil, limit+2) // for a line feed, and a byte to find that it is too long
	for more := true; more; {
		x := piece{err: io.EOF}
		if more = scanner.Scan(); more {
			x = piece{p: bytes.Clone(scanner.Bytes())}
		} else if err := scanner.Err(); err != nil {
			x.err = scanError(err, limit)
		}
		select {
		case next <- x:
		case <-ctx.Done():
			return
		}
	}
}

// scanError says what is wrong with the input.
func scanError(err error, limit int) error {
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("more than %d bytes, kernel.msgmax, for one message: %w", limit, sysvmsg.ErrTooLarge)
	}
	return fmt.Errorf("standard input: %w", err)
}
