package fuzz_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"testing/iotest"

	"github.com/plait-go/plait/framing"
)

// pull is the outcome of what a Reader reads from rd.
func (s setup) pull(rd io.Reader) outcome { return s.puller(rd).run() }

// puller is a puller of what a Reader reads from rd.
func (s setup) puller(rd io.Reader) *puller {
	splitter, w := s.watched()
	r := framing.NewReader(rd, splitter)
	r.Max, r.Discard = s.max, s.is(discards)
	next := r.Next
	if s.is(breaks) {
		next = func() ([]byte, error) { return firstOf(r) }
	}
	return &puller{setup: s, r: r, watch: w, next: next}
}

// pullAll is pull by one loop over All, for as long as that goes on.
func (s setup) pullAll(rd io.Reader) outcome {
	p := s.puller(rd)
	turn, stop := iter.Pull2(p.r.All())
	defer stop()
	p.next = func() ([]byte, error) {
		if frame, err, ok := turn(); ok {
			return frame, err
		}
		frame, err := p.r.Next()
		if e := (*framing.Error)(nil); frame != nil || errors.As(err, &e) && e != p.sticky {
			p.fault("All ended before %q, %v", frame, err)
		}
		return frame, err
	}
	return p.run()
}

// pullMixed is pull by loops over All whose body takes every second frame by
// Next.
func (s setup) pullMixed(rd io.Reader) outcome {
	p := s.puller(rd)
	for p.End == "" {
		ended := true
		for frame, err := range p.r.All() {
			ended = false
			if p.turn(frame, err); p.End == "" {
				p.turn(p.r.Next())
			}
			if p.End != "" {
				break
			}
		}
		if ended {
			p.turn(p.r.Next())
		}
	}
	return p.run()
}

// firstOf is Next by a loop over All that is left at once.
func firstOf(r *framing.Reader) ([]byte, error) {
	for frame, err := range r.All() {
		return frame, err
	}
	return nil, io.EOF
}

// patience is how many errors a consumer takes before it gives up.
const patience = 10_000

// A puller asks a Reader for frames and keeps what comes out.
type puller struct {
	setup
	outcome
	r       *framing.Reader
	watch   *watch
	next    func() ([]byte, error)
	sticky  *framing.Error // the last error in the framing
	most    int            // frames to stop after, if not 0
	retries int            // errors after which it tried again
	expired int            // deadlines among them
}

// run asks until the stream ends, as a consumer does that tries again after an
// expired deadline.
func (p *puller) run() outcome {
	for frames := 0; p.End == "" && (p.most == 0 || frames < p.most); {
		if p.turn(p.next()) {
			frames++
		}
	}
	if p.watch.fault != "" {
		p.fault("%s", p.watch.fault)
	}
	return p.outcome
}

// turn keeps one frame or error, and reports whether it was a frame.
func (p *puller) turn(frame []byte, err error) bool {
	if err == nil {
		p.frame(frame)
		return true
	}
	if frame != nil {
		p.fault("Next() = %q, %v; want no frame with an error", frame, err)
	}
	p.error(err)
	return false
}

// error keeps one error, and the end if it is that.
func (p *puller) error(err error) {
	e := (*framing.Error)(nil)
	switch {
	case errors.As(err, &e) && e == p.sticky:
		p.End, p.Offset = final, p.r.Offset()
	case e != nil && p.sticky != nil && e.Offset == p.sticky.Offset:
		p.fault("Next() = %v again, another one", err)
		p.End = final
	case e != nil:
		p.sticky = e
		p.Events = append(p.Events, errorEvent(e))
	case p.retries > patience:
		p.End = "the deadline expires for ever"
	case passing(err):
		p.retries++
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.expired++
		}
	default:
		p.End, p.Offset, p.Rest = err.Error(), p.r.Offset(), string(p.r.Buffered())
	}
}

// frame keeps one frame, and spoils it if the consumer would.
func (p *puller) frame(frame []byte) {
	p.Events = append(p.Events, event{Frame: string(frame)})
	if cap(frame) != len(frame) || len(frame) == 0 {
		p.fault("frame %q has capacity %d", frame, cap(frame))
	}
	if p.is(vandal) {
		for i := range frame {
			frame[i] = 0xee
		}
	}
}

// A choppyReader reads data in pieces of the lengths in cuts, again and again. It
// never reads nothing for so long that the reader of it may give up.
type choppyReader struct {
	data, cuts []byte
	i, empty   int
}

// idle is how often in a row a choppyReader reads nothing at most.
const idle = 20

func (r *choppyReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := len(r.data)
	if len(bytes.Trim(r.cuts, "\x00")) > 0 {
		n = int(r.cuts[r.i%len(r.cuts)])
		r.i++
	}
	if n > 0 {
		r.empty = 0
	} else if r.empty++; r.empty > idle {
		r.empty, n = 0, 1
	}
	n = copy(p[:min(n, len(p))], r.data)
	r.data = r.data[n:]
	return n, nil
}

// readers yields the ways that one stream may arrive in.
func readers(data, cuts []byte) iter.Seq2[string, io.Reader] {
	return func(yield func(string, io.Reader) bool) {
		_ = yield("in one piece", bytes.NewReader(data)) &&
			yield("byte by byte", iotest.OneByteReader(bytes.NewReader(data))) &&
			yield("by halves", iotest.HalfReader(bytes.NewReader(data))) &&
			yield("with io.EOF at the last bytes", iotest.DataErrReader(bytes.NewReader(data))) &&
			yield("in pieces", &choppyReader{data: data, cuts: cuts}) &&
			yield("in pieces, with io.EOF at the last", iotest.DataErrReader(&choppyReader{data: data, cuts: cuts}))
	}
}
