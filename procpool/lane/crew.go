//go:build linux

package lane

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/plait-go/plait/uds"
)

// A crew answers the requests of a lane in goroutines of their own, while others are
// read.
type crew struct {
	*Server
	out   *sender
	begun *atomic.Int64
	wg    sync.WaitGroup

	mu    sync.Mutex
	queue []*Request // that have not begun
	gone  bool       // nobody waits for answers, and nothing more begins
	free  []*Request
	size  int // goroutines
}

func newCrew(s *Server, conn *uds.Conn, begun *atomic.Int64) *crew {
	return &crew{Server: s, out: newSender(conn), begun: begun}
}

// run serves until an error, errEnd say, and until what has begun is answered. That is
// all that has come, if it is errEnd. Else nobody waits for the answers any more.
func (c *crew) run(r *receiver) error {
	if r.calls != nil {
		r.calls.begin(c.out)
	}
	err := c.read(r)
	if !errors.Is(err, errEnd) {
		c.stop()
		_ = r.conn.Close() // which ends a write; serve closes it, too
		if r.calls != nil {
			r.calls.end(err)
		}
	}
	c.wg.Wait()
	return err
}

func (c *crew) read(r *receiver) error {
	for {
		p, err := r.read()
		if err != nil {
			return err
		}
		for record, err := range r.records.Frames(p) {
			if err != nil {
				return errors.Join(ErrCorrupt, err)
			}
			h, payload, whole, err := r.request(record)
			if err != nil {
				return err
			}
			if whole {
				c.put(h, payload)
			}
		}
	}
}

// put has a request handled.
func (c *crew) put(h Header, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return
	}
	var r *Request
	if n := len(c.free); n > 0 {
		r, c.free = c.free[n-1], c.free[:n-1]
	} else {
		r = NewRequest(c.answer)
		r.woken = make(chan struct{}, 1)
	}
	r.id, r.buf = h.ID, append(r.buf[:0], payload...)
	r.Tag = h.Tag
	c.queue = append(c.queue, r)
	if c.size < max(c.Concurrency, 1) {
		c.size++
		c.wg.Go(c.work) // ends when the queue is empty
	}
}

// stop has nothing more begin.
func (c *crew) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue, c.gone = nil, true
}

// work handles requests until there are none.
func (c *crew) work() {
	for {
		c.turns <- struct{}{}
		r := c.take()
		if r == nil {
			<-c.turns
			return
		}
		c.busy()
		r.serve(c.Handler, r.Tag, r.buf)
		c.served(1)
		<-c.turns
		c.give(r)
	}
}

// take begins the next request. If there is none the goroutine is to end.
func (c *crew) take() *Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.size--
		return nil
	}
	r := c.queue[0]
	c.queue[0] = nil
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
	c.begun.Add(1)
	return r
}

// give keeps a request that has been answered for its next use.
func (c *crew) give(r *Request) {
	if cap(r.buf) > keep {
		r.buf = nil
	}
	r.Payload = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.free) < 2*max(c.Concurrency, 1) {
		c.free = append(c.free, r)
	}
}

// answer is how a request is answered.
func (c *crew) answer(r *Request, payload []byte, failure error) error {
	var long error
	err := c.out.send(func(dst []byte) (all []byte) {
		all, long = c.appendAnswer(dst, r.id, payload, failure)
		return all
	})
	if err != nil {
		c.stop()
	}
	return errors.Join(long, err)
}
