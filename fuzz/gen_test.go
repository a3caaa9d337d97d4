package fuzz_test

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// startAt is where the choice of trials begins: the same place each time, so that a
// failure comes again, unless PLAIT_SEED names another.
func startAt(t *testing.T) int64 {
	t.Helper()
	text := os.Getenv("PLAIT_SEED")
	if text == "" {
		return 1
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		t.Fatalf("PLAIT_SEED: %v", err)
	}
	return n
}

// forAll tries condition on what gens make, shrinks the arguments on which it
// does not return "", and fails t with them.
func forAll(t *testing.T, trials int, condition any, gens ...gopter.Gen) {
	t.Helper()
	parameters := gopter.DefaultTestParametersWithSeed(startAt(t))
	parameters.MinSuccessfulTests = trials
	properties := gopter.NewProperties(parameters)
	properties.Property(t.Name(), prop.ForAll(condition, gens...))
	if !properties.Run(gopter.NewFormatedReporter(false, 1<<20, reports{t})) {
		t.Errorf("PLAIT_SEED=%d makes these trials again", parameters.Seed())
	}
}

// reports takes gopter's reports to the test's log.
type reports struct{ t *testing.T }

func (r reports) Write(p []byte) (int, error) {
	r.t.Helper()
	r.t.Logf("%s", p)
	return len(p), nil
}

var _ io.Writer = reports{}

// A trial is a setup, a stream, and the lengths of the pieces it arrives in, as
// bytes that a fuzzer mutates or a generator shrinks.
type trial struct {
	setup
	data, cuts []byte
}

// newTrial is the trial of a fuzzer's three arguments.
func newTrial(shape, data, cuts []byte) trial {
	s := newSetup(shape)
	return trial{s, s.fold(data), cuts}
}

// genTrial is the trial of a generator's three arguments.
func genTrial(shape []byte, pieces [][]byte, cuts []byte) trial {
	s := newSetup(shape)
	return trial{s, s.stream(pieces), cuts}
}

// stream lays pieces end to end. The first byte of a piece tells what becomes of
// the others: mostly a frame.
func (s setup) stream(pieces [][]byte) []byte {
	c := s.make()
	var data []byte
	for _, piece := range pieces {
		form := choices(piece)
		kind := form.pick(8)
		payload := s.fold(form)
		if kind == 4 { // a long one
			payload = bytes.Repeat(payload, 40)
		}
		from := len(data)
		if frame, err := c.AppendFrame(data, payload); err == nil {
			data = frame
		}
		switch kind {
		case 5: // bytes as they are
			data = append(data[:from], payload...)
		case 6: // one byte short
			data = data[:max(from, len(data)-1)]
		case 7: // an extreme length, or a long frame
			for range 10 + len(payload) {
				data = append(data, s.letters[len(s.letters)-1])
			}
		}
	}
	return data
}

// fold makes bytes the codec's letters, if that is one of the habits of s.
func (s setup) fold(data []byte) []byte {
	if !s.is(folds) {
		return data
	}
	folded := make([]byte, len(data))
	for i, b := range data {
		folded[i] = s.letters[int(b)%len(s.letters)]
	}
	return folded
}

// sized bounds the length of the slices that g makes.
func sized(n int, g gopter.Gen) gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult { return g(p.WithSize(n)) }
}

// shapes makes setups.
func shapes() gopter.Gen { return gen.SliceOfN(20, gen.UInt8()).WithShrinker(bytesShrinker) }

// pieces makes lists of frames, or of what is taken for them.
func pieces() gopter.Gen {
	letter := gen.Frequency(map[int]gopter.Gen{3: gen.UInt8Range('a', 'b'), 2: gen.UInt8(), 1: gen.UInt8Range(0, 13)})
	return sized(12, gen.SliceOf(sized(24, gen.SliceOf(letter))))
}

// cuts makes lists of the lengths of chunks.
func cuts() gopter.Gen { return sized(8, gen.SliceOf(gen.UInt8Range(0, 40))) }

// bytesShrinker shrinks a shape: any shorter one, and any smaller byte, is a
// simpler setup.
func bytesShrinker(v any) gopter.Shrink { return gen.SliceShrinker(gen.UInt8Shrinker)(v) }
