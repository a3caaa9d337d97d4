package fuzz_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestProperty01ChunkingInvariance(t *testing.T) {
	forAll(t, 3000, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).chunkingInvariance()
	}, shapes(), pieces(), cuts())
}

// chunkingInvariance: frames, errors and ends are the same however the stream
// is cut, and they are those of the model.
func (t trial) chunkingInvariance() string {
	whole, model := t.push(t.data, nil), t.model(t.data, 0, -1)
	if diff := compare("model", whole.bare(model), model); diff != "" {
		return t.say("one chunk against the model", diff)
	}
	for _, cuts := range [][]byte{t.cuts, {1}, {0, 3}} {
		if diff := compare("push", t.push(t.data, cuts), whole); diff != "" {
			return t.say(fmt.Sprintf("chunks of %d against one", cuts), diff)
		}
	}
	return ""
}

// say puts what is wrong below what was tried.
func (t trial) say(what, diff string) string {
	return fmt.Sprintf("%v\nstream %q cut by %d\n%s: %s", t.setup, t.data, t.cuts, what, diff)
}

func TestProperty02PushIsPull(t *testing.T) {
	forAll(t, 1500, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).pushIsPull()
	}, shapes(), pieces(), cuts())
}

// pushIsPull: a Reader tells the same of a stream as a Decoder.
func (t trial) pushIsPull() string {
	want := t.push(t.data, t.cuts)
	for name, rd := range readers(t.data, t.cuts) {
		if diff := compare("pull", t.pull(rd), want); diff != "" {
			return t.say("read "+name, diff)
		}
	}
	if diff := compare("pull", t.pullAll(bytes.NewReader(t.data)), want); diff != "" {
		return t.say("read by one loop", diff)
	}
	if diff := compare("pull", t.pullMixed(&choppyReader{data: t.data, cuts: t.cuts}), want); diff != "" {
		return t.say("read by All and Next in turn", diff)
	}
	return ""
}

func TestProperty03Partition(t *testing.T) {
	forAll(t, 800, func(shape []byte, pieces [][]byte, cuts []byte) string {
		return genTrial(shape, pieces, cuts).partition()
	}, shapes(), pieces(), cuts())
}

// partition: frames laid end to end, and what is left over, are the stream.
// What push checks on its way is the same for every moment.
func (t trial) partition() string {
	for _, o := range []outcome{t.push(t.data, t.cuts), t.pull(&choppyReader{data: t.data, cuts: t.cuts})} {
		if o.Fault != "" {
			return t.say("on the way", o.Fault)
		}
		if o.errors() > 0 {
			continue
		}
		if all := strings.Join(o.frames(), "") + o.Rest; all != string(t.data) {
			return t.say("frames and rest", fmt.Sprintf("%q", all))
		}
	}
	return ""
}

func TestProperty08Locality(t *testing.T) {
	forAll(t, 800, func(shape []byte, a, b [][]byte, cuts []byte) string {
		return genTrial(shape, a, cuts).locality(genTrial(shape, b, cuts).data)
	}, shapes(), pieces(), pieces(), cuts())
}

// locality: what ends on a boundary says nothing about what follows it, and the
// reverse.
func (t trial) locality(more []byte) string {
	a := t.push(t.data, t.cuts)
	if a.End != io.EOF.Error() {
		return ""
	}
	b := t.push(more, t.cuts)
	want := outcome{End: b.End, Rest: b.Rest, Offset: a.Offset + b.Offset, Fault: a.Fault + b.Fault}
	for _, e := range b.Events {
		if e.Err != "" {
			e.Offset += a.Offset
			e.Text = ""
		}
		want.Events = append(want.Events, e)
	}
	want.Events = append(a.bare(want).Events, want.Events...)
	got := t.push(append(bytes.Clone(t.data), more...), t.cuts)
	if diff := compare("both", got.bare(want), want); diff != "" {
		return t.say(fmt.Sprintf("followed by %q", more), diff)
	}
	return ""
}
