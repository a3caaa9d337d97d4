package fuzz_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"

	"github.com/plait-go/plait/framing"
)

func TestProperty14NeverReadsPast(t *testing.T) {
	forAll(t, 600, func(shape []byte, pieces [][]byte, poison []byte) string {
		tt := genTrial(shape, pieces, nil)
		return firstOfAll(tt.poisoned(poison), tt.neverReadsAhead())
	}, shapes(), pieces(), cuts())
}

func firstOfAll(results ...string) string {
	for _, r := range results {
		if r != "" {
			return r
		}
	}
	return ""
}

// poisoned: whatever follows the first frame, Split tells the same of it.
func (t trial) poisoned(poison []byte) string {
	if len(t.data) == 0 {
		return ""
	}
	want, deciding := t.oracle.ask(t.data)
	if want == (answer{}) {
		return ""
	}
	size := deciding
	if want.size > 0 && want.size < uint64(len(t.data)) {
		size = max(size, int(want.size))
	}
	n, err := t.make().Split(append(t.data[:size:size], poison...), 0)
	if diff := want.mismatch(n, err); diff != "" {
		return t.say(fmt.Sprintf("Split of %d bytes and %q", size, poison), diff)
	}
	return ""
}

// A jealousReader fails the test that reads while it need not.
type jealousReader struct {
	choppyReader
	enough func(read int) bool // whether the bytes read so far are enough
	size   int
	fault  string
}

func (r *jealousReader) Read(p []byte) (int, error) {
	read := r.size - len(r.data)
	if r.fault == "" && r.enough(read) {
		r.fault = fmt.Sprintf("Read with a whole frame or error in the first %d bytes", read)
	}
	return r.choppyReader.Read(p)
}

// neverReadsAhead: a Reader does not read while what it has tells the next frame
// or error, since that Read may block for ever.
func (t trial) neverReadsAhead() string {
	rd := &jealousReader{choppyReader: choppyReader{data: t.data, cuts: []byte{5, 1, 60, 2}}, size: len(t.data)}
	seen := 0 // events that the consumer was given
	rd.enough = func(read int) bool {
		return len(t.model(t.data[:read], 0, -1).Events) > seen
	}
	r := framing.NewReader(rd, t.make())
	if t.is(hides) {
		r.Splitter = framing.SplitterFunc(r.Splitter.Split)
	}
	r.Max, r.Discard = t.max, t.is(discards)
	var last error
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || err != nil && err == last {
			break
		}
		seen, last = seen+1, err
	}
	if rd.fault != "" {
		return t.say(fmt.Sprintf("behind %d frames and errors", seen), rd.fault)
	}
	return ""
}

func TestProperty02FlakySource(t *testing.T) {
	crumb := gen.Frequency(map[int]gopter.Gen{3: gen.UInt8Range(0, 20), 1: gen.UInt8Range(crumbBoth, crumbTimeout)})
	forAll(t, 1500, func(shape []byte, pieces [][]byte, crumbs []byte, early, broken bool) string {
		return genTrial(shape, pieces, crumbs).readerFaults(early, broken)
	}, shapes(), pieces(), sized(30, gen.SliceOf(crumb)), gen.Bool(), gen.Bool())
}

// readerFaults: a Reader over a flaky source tells what the model tells, and of
// each expired deadline once. The end may come with the last bytes, and be that
// of a broken connection.
func (t trial) readerFaults(early, broken bool) string {
	rd := &flakyReader{data: t.data, crumbs: t.cuts, end: io.EOF, early: early}
	want := t.model(t.data, 0, -1)
	if broken {
		rd.end = brokenError{}
		if want.End != final {
			want.End = rd.end.Error()
		}
	}
	p := t.puller(rd)
	got := p.run()
	if diff := compare("model", got.bare(want), want); diff != "" {
		return t.say("over a flaky source", diff)
	}
	if p.expired > rd.expired || p.expired < rd.expired && got.End != final {
		return t.say("over a flaky source", fmt.Sprintf("%d expired deadlines reported; want %d", p.expired, rd.expired))
	}
	return ""
}
