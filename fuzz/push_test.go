package fuzz_test

import (
	"bytes"
	"io"
	"iter"

	"github.com/plait-go/plait/framing"
)

// smallStream is how long a stream is at most that checks which take a look at
// all of it for every frame are made for.
const smallStream = 400 // bytes

// chunks yields data cut at the lengths in cuts, again and again; in one piece
// if there are none.
func chunks(data, cuts []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		moves := len(bytes.Trim(cuts, "\x00")) > 0
		for i := 0; len(data) > 0 || i == 0; i++ {
			n := len(data)
			if moves || i < len(cuts) {
				n = min(n, int(cuts[i%len(cuts)]))
			}
			if !yield(data[:n]) {
				return
			}
			data = data[n:]
		}
	}
}

// push is the outcome of data when a Decoder is fed it in chunks.
func (s setup) push(data, cuts []byte) outcome {
	splitter, w := s.watched()
	d := framing.NewDecoder(splitter)
	d.Max, d.Discard = s.max, s.is(discards)
	p := pusher{setup: s, d: d, data: data}
	for chunk := range chunks(data, cuts) {
		p.feed(chunk)
		if p.sticky != nil {
			p.again()
			break
		}
	}
	p.end()
	if w.fault != "" {
		p.fault("%s", w.fault)
	}
	return p.outcome
}

// A pusher feeds a Decoder and keeps what comes out.
type pusher struct {
	setup
	outcome
	d      *framing.Decoder
	data   []byte // the stream, for comparison
	fed    int    // bytes of it that were fed
	use    func() // what to do behind each frame, if not nil
	sticky error  // the final error
	stuck  bool   // an error came twice
}

// feed feeds a copy of chunk, which it spoils when the Decoder should be done
// with it.
func (p *pusher) feed(chunk []byte) {
	fed := bytes.Clone(chunk)
	p.fed += len(chunk)
	rest := fed
	for p.loop(rest) && p.sticky == nil && !p.stuck {
		rest = nil
	}
	if !p.is(vandal) && !bytes.Equal(fed, chunk) {
		p.fault("fed %q; it became %q", chunk, fed)
	}
	for i := range fed {
		fed[i] = 0xdd
	}
	if p.sticky == nil {
		p.partition()
	}
}

// loop runs one loop, to its end unless the consumer leaves it, and reports
// whether it was left.
func (p *pusher) loop(rest []byte) (left bool) {
	for frame, err := range p.d.Frames(rest) {
		p.event(frame, err)
		if len(p.data) < smallStream {
			p.partition()
		}
		if p.use != nil && err == nil {
			p.use()
		}
		if p.is(vandal) {
			for i := range frame {
				frame[i] = 0xee
			}
		}
		if p.is(breaks) || p.stuck {
			left = true
			break
		}
	}
	if !p.is(breaks) {
		if err, ok := p.d.Close().(*framing.Error); ok { //nolint:errorlint // Close returns what is kept, unwrapped.
			p.sticky = err
		}
	}
	return left
}

// event keeps one turn of a loop.
func (p *pusher) event(frame []byte, err error) {
	if err == nil {
		p.Events = append(p.Events, event{Frame: string(frame)})
		if cap(frame) != len(frame) || len(frame) == 0 {
			p.fault("frame %q has capacity %d", frame, cap(frame))
		}
		return
	}
	e, ok := err.(*framing.Error) //nolint:errorlint // Frames yields what is kept, unwrapped.
	if !ok || frame != nil {
		p.fault("Frames yielded %q, %v; want nil and an *Error", frame, err)
		return
	}
	if before := p.last(); before.Err != "" && before.Offset == e.Offset {
		p.stuck = true
		p.fault("Frames yielded %v again", err)
	}
	p.Events = append(p.Events, errorEvent(e))
	if p.d.Close() == err {
		p.sticky = err
	}
}

// partition checks that nothing fed was lost, doubled or moved.
func (p *pusher) partition() {
	off := int(p.d.Offset())
	if got, want := p.d.Buffered(), p.data[min(off, p.fed):p.fed]; !bytes.Equal(got, want) {
		p.fault("Buffered() = %q at offset %d of %d fed; want %q", got, off, p.fed, want)
	}
}

// again checks that a final error stays, and that nothing more is taken.
func (p *pusher) again() {
	off, rest := p.d.Offset(), string(p.d.Buffered())
	if want := p.data[min(int(off), p.fed):p.fed]; rest != string(want) {
		p.fault("Buffered() = %q behind an error at offset %d; want %q", rest, off, want)
	}
	for range 2 {
		n := 0
		for frame, err := range p.d.Frames([]byte("more")) {
			if n++; frame != nil || err != p.sticky || n > 1 {
				p.fault("Frames yielded %q, %v; want nil, %v and no more", frame, err, p.sticky)
				break
			}
		}
		if n == 0 || p.d.Offset() != off || string(p.d.Buffered()) != rest {
			p.fault("behind an error Offset() = %d, Buffered() = %q; want %d, %q", p.d.Offset(), p.d.Buffered(), off, rest)
		}
	}
}

// end asks how the stream ended.
func (p *pusher) end() {
	p.Offset = p.d.Offset()
	switch err := p.d.Close(); err {
	case nil:
		p.End = io.EOF.Error()
	case p.sticky:
		p.End = final
		return
	default:
		p.End = err.Error()
	}
	p.Rest = string(p.d.Buffered())
}
