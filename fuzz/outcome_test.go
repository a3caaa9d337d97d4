package fuzz_test

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/framing"
)

// An event is a frame or an error that framing yielded.
type event struct {
	Frame  string
	Err    string // the sentinel that the error wraps
	Offset int64
	Size   uint64
	Max    int
	Head   string
	Text   string
}

// errorEvent is the event of an error in the framing.
func errorEvent(e *framing.Error) event {
	kind := "another error"
	for _, s := range []error{framing.ErrTooLong, framing.ErrCorrupt} {
		if errors.Is(e, s) {
			kind = s.Error()
		}
	}
	return event{Err: kind, Offset: e.Offset, Size: e.Size, Max: e.Max, Head: e.Head, Text: e.Error()}
}

// final is the End of a stream whose framing broke for good.
const final = "final error"

// An outcome is all that a consumer sees of a stream.
type outcome struct {
	Events []event
	End    string // how the stream ended: io.EOF, io.ErrUnexpectedEOF, final, or the source's error
	Offset int64
	Rest   string // what was not cut when the stream ended, unless the end is final
	Fault  string // the first promise that was broken on the way
}

// fault keeps the first broken promise.
func (o *outcome) fault(format string, args ...any) {
	if o.Fault == "" {
		o.Fault = fmt.Sprintf(format, args...)
	}
}

// frames are the frames alone.
func (o outcome) frames() []string {
	var frames []string
	for _, e := range o.Events {
		if e.Err == "" {
			frames = append(frames, e.Frame)
		}
	}
	return frames
}

// errors counts the errors.
func (o outcome) errors() int { return len(o.Events) - len(o.frames()) }

// compare says how got differs from want, or nothing.
func compare(what string, got, want outcome) string {
	if got.Fault == "" && want.Fault == "" && got.End == want.End && got.Offset == want.Offset &&
		got.Rest == want.Rest && slices.Equal(got.Events, want.Events) {
		return ""
	}
	return fmt.Sprintf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
}

// bare leaves out what a model does not foresee: the words of an error, and how
// much of a frame that is skipped for ever has been looked at.
func (o outcome) bare(m outcome) outcome {
	o.Events = slices.Clone(o.Events)
	for i := range o.Events {
		o.Events[i].Text = ""
	}
	if m.Offset < 0 {
		o.Offset, o.Rest = m.Offset, ""
	}
	return o
}

// model is the outcome that the laws of framing demand for data from off on,
// computed without chunks or buffers. It stops after most frames, with no End,
// if most is not negative.
func (s setup) model(data []byte, off, most int) outcome {
	var o outcome
	for off < len(data) && most != 0 {
		e, n := s.judge(data[off:])
		e.Offset = int64(off)
		switch {
		case e.Err == "" && n == 0:
			o.End, o.Offset, o.Rest = io.ErrUnexpectedEOF.Error(), int64(off), string(data[off:])
			return o
		case e.Err == "":
			o.Events = append(o.Events, event{Frame: e.Frame})
			most--
		default:
			o.Events = append(o.Events, e)
			n = s.skip(e, data[off:])
			if n == 0 {
				o.End, o.Offset = final, int64(off)
				return o
			}
			if n > len(data)-off {
				o.End, o.Offset = io.ErrUnexpectedEOF.Error(), -1
				return o
			}
		}
		off += n
	}
	o.Offset = int64(off)
	if off == len(data) {
		o.End = io.EOF.Error()
	}
	return o
}

// judge returns the frame or the error at the front of data, and the frame's
// length: 0 if data ends inside it.
func (s setup) judge(data []byte) (e event, n int) {
	limit := s.limit()
	w := data[:min(len(data), limit)]
	a, k := s.oracle.ask(w)
	switch {
	case a.err != nil:
		return event{Err: a.err.Error(), Head: head(w[:k])}, 0
	case a.size > uint64(limit), a.size == 0 && len(w) == limit:
		return event{Err: framing.ErrTooLong.Error(), Size: a.size, Max: limit, Head: head(w[:k])}, 0
	case a.size == 0, a.size > uint64(len(data)):
		return event{}, 0
	}
	return event{Frame: string(data[:a.size])}, int(a.size)
}

// skip returns how long the broken frame at the front of data is: 0 if there is
// no way on, more than len(data) if it goes beyond.
func (s setup) skip(e event, data []byte) int {
	switch {
	case !s.is(discards), e.Err != framing.ErrTooLong.Error():
		return 0
	case e.Size > 0:
		return int(min(e.Size, uint64(len(data)+1)))
	case !s.resyncs():
		return 0
	}
	if a, k := s.oracle.ask(data); a.size > 0 {
		return k
	}
	return len(data) + 1
}

// head is what an error shows of the bytes that decided.
func head(deciding []byte) string { return string(deciding[:min(len(deciding), 16)]) }
