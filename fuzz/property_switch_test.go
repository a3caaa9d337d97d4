package fuzz_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/plait-go/plait/framing"
)

func TestProperty15Switch(t *testing.T) {
	forAll(t, 1500, func(shape, second []byte, pieces [][]byte, cuts []byte) string {
		tt := genTrial(shape, pieces, cuts)
		next := newSetup(second)
		tt.data = append(tt.data, next.stream(pieces)...)
		return tt.switches(next, len(pieces)/2)
	}, shapes(), shapes(), pieces(), cuts())
}

// switches: behind k frames of one codec another cuts what is left, wherever
// those bytes already were; or they are read as they are.
func (t trial) switches(second setup, k int) string {
	before := t.model(t.data, 0, k)
	if len(before.frames()) < k {
		return ""
	}
	second.max, second.habits = t.max, t.habits
	rest := t.data[before.Offset:]
	want := second.model(t.data, int(before.Offset), -1)
	want.Events = append(before.Events, want.Events...)
	what := fmt.Sprintf("behind frame %d: %v", k, second)
	if diff := compare("push", t.pushTwo(second, k).bare(want), want); diff != "" {
		return t.say(what, diff)
	}
	if diff := compare("pull", t.pullTwo(second, k).bare(want), want); diff != "" {
		return t.say(what, diff)
	}
	if m := t.unfinished(int(before.Offset)); m > int(before.Offset) {
		if diff := compare("push", t.pushLate(second, m).bare(want), want); diff != "" {
			return t.say(fmt.Sprintf("%s, at %d", what, m), diff)
		}
		if diff := compare("pull", t.pullLate(second, k, m).bare(want), want); diff != "" {
			return t.say(fmt.Sprintf("%s, at %d", what, m), diff)
		}
	}
	if diff := t.raw(k, rest); diff != "" {
		return t.say(fmt.Sprintf("raw behind frame %d", k), diff)
	}
	return ""
}

// pushTwo is push with two codecs.
func (t trial) pushTwo(second setup, k int) outcome {
	d := framing.NewDecoder(t.splitter())
	d.Max, d.Discard = t.max, t.is(discards)
	p := pusher{setup: t.setup, d: d, data: t.data}
	p.use = func() {
		if k--; k == 0 {
			d.Use(second.splitter())
		}
	}
	if k == 0 {
		d.Use(second.splitter())
	}
	for chunk := range chunks(t.data, t.cuts) {
		if p.feed(chunk); p.sticky != nil {
			p.again()
			break
		}
	}
	p.end()
	return p.outcome
}

// unfinished returns how much of the stream ends inside a frame that begins at
// off, some bytes behind that if possible.
func (t trial) unfinished(off int) int {
	for m := min(off+20, len(t.data)); m > off; m-- {
		if e, n := t.judge(t.data[off:m]); n == 0 && e.Err == "" {
			return m
		}
	}
	return off
}

// pushLate is pushTwo with the change at m, inside a frame of the first codec.
func (t trial) pushLate(second setup, m int) outcome {
	d := framing.NewDecoder(t.splitter())
	d.Max, d.Discard = t.max, t.is(discards)
	p := pusher{setup: t.setup, d: d, data: t.data}
	for chunk := range chunks(t.data[:m], t.cuts) {
		p.feed(chunk)
	}
	d.Use(second.splitter())
	for chunk := range chunks(t.data[m:], t.cuts) {
		if p.feed(chunk); p.sticky != nil {
			p.again()
			break
		}
	}
	p.end()
	return p.outcome
}

// pullLate is pullTwo with the change where a deadline expires at m, inside a
// frame of the first codec.
func (t trial) pullLate(second setup, k, m int) outcome {
	rd := io.MultiReader(bytes.NewReader(t.data[:m]), &expiringReader{}, &choppyReader{data: t.data[m:], cuts: t.cuts})
	p := t.puller(rd)
	if p.most = k; k > 0 {
		p.run()
	}
	if frame, err := p.next(); frame != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		p.fault("Next() = %q, %v; want nil, %v", frame, err, os.ErrDeadlineExceeded)
	}
	p.r.Use(second.splitter())
	p.most, p.sticky = 0, nil
	return p.run()
}

// An expiringReader is at its end once a deadline has expired.
type expiringReader struct{ expired bool }

func (r *expiringReader) Read([]byte) (int, error) {
	if r.expired {
		return 0, io.EOF
	}
	r.expired = true
	return 0, os.ErrDeadlineExceeded
}

// splitter is what s has a Decoder or Reader cut with.
func (s setup) splitter() framing.Splitter {
	splitter, _ := s.watched()
	return splitter
}

// pullTwo is pull with two codecs.
func (t trial) pullTwo(second setup, k int) outcome {
	r, p := t.readFrames(k)
	leftover := string(r.Buffered())
	r.Use(second.splitter())
	if got := string(r.Buffered()); got != leftover {
		p.fault("Buffered() = %q behind Use; want %q", got, leftover)
	}
	p.most, p.sticky = 0, nil
	return p.run()
}

// readFrames reads k frames, and what else comes before the last of them.
func (t trial) readFrames(k int) (*framing.Reader, *puller) {
	p := t.puller(&choppyReader{data: t.data, cuts: t.cuts})
	if p.most = k; k > 0 {
		p.run()
	}
	return p.r, p
}

// raw: what follows the k-th frame can be read and copied without frames.
func (t trial) raw(k int, want []byte) string {
	r, _ := t.readFrames(k)
	read, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(read, want) || int(r.Offset()) != len(t.data) {
		return fmt.Sprintf("ReadAll = %q, %v, Offset() = %d; want %q, nil, %d", read, err, r.Offset(), want, len(t.data))
	}
	r, _ = t.readFrames(k)
	var copied bytes.Buffer
	n, err := r.WriteTo(&copied)
	if err != nil || int(n) != len(want) || !bytes.Equal(copied.Bytes(), want) || int(r.Offset()) != len(t.data) {
		return fmt.Sprintf("WriteTo = %d, %v and %q, Offset() = %d; want %q, nil, %d", n, err, copied.Bytes(), r.Offset(), want, len(t.data))
	}
	return ""
}
