//go:build linux

package lane

import (
	"errors"
	"sync/atomic"
)

// A Handler answers a request: by Reply or Fail before it returns, or by Later.
type Handler func(r *Request)

// A Request is what a Handler answers. It is the Handler's until that returns, and its
// methods are for the Handler's goroutine.
type Request struct {
	Tag     uint64 // what the sender tells beside it: the number of a connection, say
	Payload []byte // valid until the Handler returns

	answer func(r *Request, payload []byte, err error) error
	flush  func() error // nil where answers are sent at once
	phase  phase
	id     uint64
	buf    []byte        // that Payload lies in, if that is a copy
	woken  chan struct{} // of a Server, which waits for the answer of a Later
}

// A phase is how far a request is, as its Handler's goroutine knows.
type phase uint8

const (
	unanswered phase = iota
	answered
	postponed
)

var (
	// ErrAnswered says that a request has been answered before.
	ErrAnswered = errors.New("lane: answered before")

	// errUnanswered is told of a request whose Handler has not answered it.
	errUnanswered = errors.New("not answered")

	// errFailed is told of a failure without an error.
	errFailed = errors.New("failed")
)

// NewRequest returns a request that has not come over a lane, for a server that calls
// a Handler itself. Reply and Fail call answer, in their goroutine, and return what it
// returns. [Request.Call] calls a Handler with it.
func NewRequest(answer func(r *Request, payload []byte, err error) error) *Request {
	return &Request{answer: answer}
}

// Call has h answer the request, now or by Later. The request may be used again when
// Call has returned, but for what comes of a Later, which knows what is in r by then.
func (r *Request) Call(h Handler, tag uint64, payload []byte) {
	r.Tag, r.Payload, r.phase = tag, payload, unanswered
	h(r)
	if r.phase == unanswered {
		_ = r.Fail(errUnanswered) // the handler has not asked
	}
}

// Reply answers the request. It does not retain payload. The error is ErrAnswered, or
// says why the answer reaches nobody.
func (r *Request) Reply(payload []byte) error {
	if r.phase != unanswered {
		return ErrAnswered
	}
	r.phase = answered
	return r.answer(r, payload, nil)
}

// Fail answers that the request has come to nothing. The other side gets the text of
// err.
func (r *Request) Fail(err error) error {
	if r.phase != unanswered {
		return ErrAnswered
	}
	r.phase = answered
	return r.answer(r, nil, orFailed(err))
}

func orFailed(err error) error {
	if err == nil {
		return errFailed
	}
	return err
}

// Flush has the answers sent that a Server has collected. A Handler calls it before it
// does what takes long, or may kill the process, lest the answers before its own wait
// for it, or are lost.
func (r *Request) Flush() error {
	if r.flush == nil {
		return nil
	}
	return r.flush()
}

// Later postpones the answer: the request is that of the returned value from now on.
// A worker does not begin more requests than Concurrency before it is there. What
// has been answered before is sent, as by Flush. It returns nil if the request has been
// answered.
func (r *Request) Later() *Later {
	if r.phase != unanswered {
		return nil
	}
	r.phase = postponed
	_ = r.Flush() // the next answer fails, too
	return &Later{r: r}
}

// A Later answers a request after its Handler has returned. Any goroutine may use it.
type Later struct {
	r    *Request
	done atomic.Bool
}

// Reply answers the request, as Request.Reply.
func (l *Later) Reply(payload []byte) error { return l.end(payload, nil) }

// Fail answers the request, as Request.Fail.
func (l *Later) Fail(err error) error { return l.end(nil, orFailed(err)) }

func (l *Later) end(payload []byte, failure error) error {
	if l.done.Swap(true) {
		return ErrAnswered
	}
	err := l.r.answer(l.r, payload, failure)
	if l.r.woken != nil {
		l.r.woken <- struct{}{}
	}
	return err
}

// serve has h answer the request, and waits until it is answered.
func (r *Request) serve(h Handler, tag uint64, payload []byte) {
	r.Call(h, tag, payload)
	if r.phase == postponed {
		<-r.woken
	}
}
