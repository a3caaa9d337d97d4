package fuzz_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
)

func TestProperty10Scanner(t *testing.T) {
	forAll(t, 800, func(shape []byte, pieces [][]byte, cuts []byte) string {
		tt := genTrial(shape, pieces, cuts)
		return firstOfAll(tt.scanLines(), tt.scanFrames())
	}, shapes(), pieces(), cuts())
}

// A scan is what a bufio.Scanner sees of a stream.
type scan struct {
	tokens []string
	err    error
}

// scan lets a Scanner read the stream in pieces, with the limit of t.
func (t trial) scan(split bufio.SplitFunc) (s scan) {
	// A Scanner takes a source of many empty reads for a broken one.
	pieces := bytes.ReplaceAll(t.cuts, []byte{0}, nil)
	scanner := bufio.NewScanner(&choppyReader{data: t.data, cuts: pieces})
	scanner.Buffer(nil, t.limit())
	scanner.Split(split)
	for scanner.Scan() {
		s.tokens = append(s.tokens, scanner.Text())
	}
	s.err = scanner.Err()
	return s
}

// scanLines: lines are those of a Scanner with the same window, save that the
// bytes behind the last newline are none; and so are lines too long.
func (t trial) scanLines() string {
	t.setup = setup{name: "eof.Lines()", kind: lines, oracle: endsWith("\n"), max: t.max, make: func() codec { return eof.Lines() }}
	o := t.push(t.data, t.cuts)
	var want []string
	for _, f := range o.frames() {
		want = append(want, string(eof.Lines().Payload([]byte(f))))
	}
	if o.End == io.ErrUnexpectedEOF.Error() {
		want = append(want, string(bytes.TrimSuffix([]byte(o.Rest), []byte("\r"))))
	}
	got := t.scan(bufio.ScanLines)
	if !slices.Equal(got.tokens, want) || errors.Is(got.err, bufio.ErrTooLong) != (o.errors() > 0) {
		return t.say("bufio.ScanLines", fmt.Sprintf("%q, %v; want %q of %+v", got.tokens, got.err, want, o))
	}
	return ""
}

// scanFrames: a Scanner that cuts with SplitFunc finds the same frames, and the
// same end. Of a length that is too long it learns only when its window is full.
func (t trial) scanFrames() string {
	t.habits &^= discards
	o := t.push(t.data, t.cuts)
	got := t.scan(framing.SplitFunc(t.make()))
	ok := slices.Equal(got.tokens, o.frames())
	switch last := o.last(); {
	case o.End == io.EOF.Error():
		ok = ok && got.err == nil
	case o.End == io.ErrUnexpectedEOF.Error():
		ok = ok && errors.Is(got.err, io.ErrUnexpectedEOF)
	case last.Err == framing.ErrCorrupt.Error():
		ok = ok && errors.Is(got.err, framing.ErrCorrupt)
	case last.Size == 0:
		ok = ok && errors.Is(got.err, bufio.ErrTooLong)
	default:
		ok = ok && got.err != nil
	}
	if !ok {
		return t.say("bufio.Scanner", fmt.Sprintf("%q, %v; want %+v", got.tokens, got.err, o))
	}
	return ""
}

// last is the last event, if there is one.
func (o outcome) last() event {
	if len(o.Events) == 0 {
		return event{}
	}
	return o.Events[len(o.Events)-1]
}
