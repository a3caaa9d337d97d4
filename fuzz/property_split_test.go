package fuzz_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/plait-go/plait/framing"
)

func TestProperty06PrefixDeterminism(t *testing.T) {
	forAll(t, 800, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).short().prefixDeterminism()
	}, shapes(), pieces(), cuts())
}

// short is t with its stream cut off, for what looks at every prefix of it.
func (t trial) short() trial {
	t.data = t.data[:min(len(t.data), smallStream)]
	return t
}

// prefixDeterminism: once Split answers, more bytes do not change its answer.
func (t trial) prefixDeterminism() string {
	s := t.make()
	answer, first := "", 0
	for k := 1; k <= len(t.data); k++ {
		n, err := s.Split(t.data[:k], 0)
		got := fmt.Sprint(n, " ", err)
		switch {
		case answer == "" && (n != 0 || err != nil):
			answer, first = got, k
		case answer != "" && got != answer:
			return t.say(fmt.Sprintf("Split of %d bytes", k), fmt.Sprintf("%s; of %d bytes %s", got, first, answer))
		}
	}
	return ""
}

func TestProperty07HintSafety(t *testing.T) {
	forAll(t, 400, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).short().hintSafety()
	}, shapes(), pieces(), cuts())
}

// hintSafety: it makes no difference where Split was asked before, and in vain.
func (t trial) hintSafety() string {
	if len(t.data) == 0 {
		return ""
	}
	s := t.make()
	n, err := s.Split(t.data, 0)
	for seen := 1; seen < len(t.data); seen++ {
		if m, e := s.Split(t.data[:seen], 0); m != 0 || e != nil {
			break
		}
		m, e := s.Split(t.data, seen)
		if m != n || fmt.Sprint(e) != fmt.Sprint(err) {
			return t.say(fmt.Sprintf("Split(data, %d)", seen), fmt.Sprintf("%d, %v; want %d, %v", m, e, n, err))
		}
	}
	return ""
}

func TestProperty09Oracle(t *testing.T) {
	forAll(t, 2500, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).splitOracle()
	}, shapes(), pieces(), cuts())
}

// splitOracle: Split tells of the first frame what the oracle tells.
func (t trial) splitOracle() string {
	if len(t.data) == 0 {
		return ""
	}
	want, _ := t.oracle.ask(t.data)
	n, err := t.make().Split(t.data, 0)
	if diff := want.mismatch(n, err); diff != "" {
		return t.say("Split", diff)
	}
	return ""
}

// mismatch says how what Split returned differs from a, or nothing.
func (a answer) mismatch(n int, err error) string {
	var e *framing.Error
	ok := false
	switch {
	case a.err != nil:
		ok = n < 0 || n == 0 && errors.Is(err, a.err)
	case a.size > math.MaxInt:
		ok = n == 0 && errors.Is(err, framing.ErrTooLong) && errors.As(err, &e) && e.Size == a.size
	default:
		ok = err == nil && n >= 0 && uint64(n) == a.size
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("%d, %v; want %d, %v", n, err, a.size, a.err)
}

func TestProperty12LinearWork(t *testing.T) {
	forAll(t, 600, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).linearWork()
	}, shapes(), pieces(), cuts())
}

// linearWork: a frame is looked at once, in chunks of any size, and an error at
// its head a few times more.
func (t trial) linearWork() string {
	for _, cuts := range [][]byte{t.cuts, {1}, {7}, nil} {
		splitter, w := t.watched()
		d := framing.NewDecoder(splitter)
		d.Max, d.Discard = t.max, t.is(discards)
		faults := 0
		for chunk := range chunks(t.data, cuts) {
			for _, err := range d.Frames(chunk) {
				if err != nil {
					faults++
				}
			}
		}
		if most := 2*len(t.data) + 16*16*faults + 16; w.work > most {
			return t.say(fmt.Sprintf("chunks of %d", cuts), fmt.Sprintf("Split looked at %d bytes, want %d at most", w.work, most))
		}
	}
	return ""
}
