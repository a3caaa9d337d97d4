//go:build linux

package lane

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/plait-go/plait/uds"
)

// A line answers the requests of a lane one after the other, in the goroutine that
// reads them.
type line struct {
	*Server
	conn  *uds.Conn
	begun *atomic.Int64
	one   *Request
	out   []byte    // answers that are not sent
	since time.Time // when the first of them was begun, or earlier
	done  int       // requests of a batch
}

func newLine(s *Server, conn *uds.Conn, begun *atomic.Int64) *line {
	l := &line{Server: s, conn: conn, begun: begun}
	l.one = NewRequest(l.answer)
	l.one.woken, l.one.flush = make(chan struct{}, 1), l.flush
	return l
}

// run serves until an error, errEnd say.
func (l *line) run(r *receiver) error {
	for {
		p, err := r.read()
		if err != nil {
			return err
		}
		l.turns <- struct{}{}
		l.busy()
		l.since, l.done = time.Now(), 0
		err = l.batch(r, p)
		l.served(l.done)
		<-l.turns
		if err := errors.Join(err, l.flush()); err != nil {
			return err
		}
	}
}

// batch answers the requests that p makes whole.
func (l *line) batch(r *receiver, p []byte) error {
	for record, err := range r.records.Frames(p) {
		if err != nil {
			return errors.Join(ErrCorrupt, err)
		}
		h, payload, whole, err := r.request(record)
		if err != nil {
			return err
		}
		if !whole {
			continue
		}
		if len(l.out) > 0 {
			if err := l.flushIfDue(); err != nil {
				return err
			}
		}
		l.begun.Add(1)
		l.one.id = h.ID
		l.done++
		l.one.serve(l.Handler, h.Tag, payload)
	}
	return nil
}

// answer is how the request is answered.
func (l *line) answer(r *Request, payload []byte, failure error) (err error) {
	l.out, err = l.appendAnswer(l.out, r.id, payload, failure)
	return err
}

// flushIfDue sends what must not wait until another request has been handled. Other
// lanes have their turn meanwhile.
func (l *line) flushIfDue() error {
	if len(l.out) < Batch && time.Since(l.since) < flushTime {
		return nil
	}
	<-l.turns
	err := l.flush()
	l.turns <- struct{}{}
	l.since = time.Now()
	return err
}

// flush sends the answers.
func (l *line) flush() error {
	if len(l.out) > 0 {
		if _, err := l.conn.Write(l.out); err != nil {
			return err
		}
		if l.out = l.out[:0]; cap(l.out) > 2*Batch {
			l.out = nil
		}
	}
	return nil
}
