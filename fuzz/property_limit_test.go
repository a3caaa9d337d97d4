package fuzz_test

import (
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
)

func TestProperty13StickyOrRecovered(t *testing.T) {
	forAll(t, 1500, func(shape []byte, pieces [][]byte, cuts []byte) string {
		tt := genTrial(shape, pieces, cuts)
		return firstOfAll(tt.sticky(), tt.discard(), tt.oversizeLeftOut(pieces))
	}, shapes(), pieces(), cuts())
}

// sticky: without Discard the first error is the last event, and push checks
// that it stays.
func (t trial) sticky() string {
	t.habits &^= discards
	o := t.push(t.data, t.cuts)
	if o.Fault != "" || o.errors() > 1 || o.errors() == 1 && (o.End != final || o.Events[len(o.Events)-1].Err == "") {
		return t.say("without Discard", fmt.Sprintf("%+v", o))
	}
	return ""
}

// discard: with Discard every oversize frame is one error, at its own place, and
// nothing else is missing.
func (t trial) discard() string {
	t.habits |= discards
	model := t.model(t.data, 0, -1)
	for _, o := range []outcome{t.push(t.data, t.cuts), t.push(t.data, []byte{1}), t.pull(&choppyReader{data: t.data, cuts: t.cuts})} {
		if diff := compare("model", o.bare(model), model); diff != "" {
			return t.say("with Discard", diff)
		}
	}
	return t.withoutLimit()
}

// withoutLimit compares the frames with those of a Decoder that takes any, where
// both come to the end of the stream.
func (t trial) withoutLimit() string {
	limited, limit := t.push(t.data, t.cuts), t.limit()
	t.max = math.MaxInt
	all := t.push(t.data, t.cuts)
	if limited.End == final || all.End == final {
		return ""
	}
	frames := all.frames()
	small := slices.DeleteFunc(slices.Clone(frames), func(f string) bool { return len(f) > limit })
	oversize := len(frames) - len(small)
	if limited.End != io.EOF.Error() && limited.errors() > oversize {
		oversize++ // the unfinished one
	}
	if !slices.Equal(limited.frames(), small) || limited.errors() != oversize {
		return t.say(fmt.Sprintf("limit %d", limit), fmt.Sprintf("%+v; want the frames %q and %d errors", limited, small, oversize))
	}
	return ""
}

// oversizeLeftOut: in a stream of nothing but frames Discard never gives up, and
// takes what Max allows to the byte.
func (t trial) oversizeLeftOut(payloads [][]byte) string {
	t.habits = t.habits&^hides | discards
	if t.kind == nested {
		return ""
	}
	t.max = max(t.max, 24) // a whole header
	c := t.make()
	t.data = nil
	var want []string
	oversize := 0
	for i, p := range payloads {
		frame, err := c.AppendFrame(nil, slices.Repeat(t.fold(p), 1+i%3))
		if err != nil {
			continue
		}
		t.data = append(t.data, frame...)
		if len(frame) > t.max {
			oversize++
		} else {
			want = append(want, string(frame))
		}
	}
	for _, o := range []outcome{t.push(t.data, t.cuts), t.pull(&choppyReader{data: t.data, cuts: t.cuts})} {
		if !slices.Equal(o.frames(), want) || o.errors() != oversize || o.End != io.EOF.Error() || o.Fault != "" {
			return t.say("oversize frames", fmt.Sprintf("%+v; want the frames %q and %d errors", o, want, oversize))
		}
	}
	return ""
}
