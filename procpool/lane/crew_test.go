//go:build linux

package lane_test

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds/leaktest"
)

// A crowd is handlers that meet.
type crowd struct {
	now, most atomic.Int64
	met       chan struct{} // one for each that is there
	leave     chan struct{} // closed when they may go on
}

func newCrowd() *crowd { return &crowd{met: make(chan struct{}, 1000), leave: make(chan struct{})} }

func (c *crowd) handle(r *lane.Request) {
	n := c.now.Add(1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
		continue
	}
	c.met <- struct{}{}
	<-c.leave
	c.now.Add(-1)
	_ = r.Reply(r.Payload)
}

// As many requests as Concurrency says are handled at a time, whatever lanes they come
// over and whatever handler they have, and each one counts as begun before.
func TestConcurrency(t *testing.T) {
	leaktest.Check(t)
	const limit, each = 4, 20
	c := newCrowd()
	s := &lane.Server{Handler: c.handle, Concurrency: limit}
	other := s.For(func(r *lane.Request) { c.handle(r) })
	peers := []*peer{startPeer(t, s, nil), startPeer(t, s, nil), startPeer(t, other, nil)}
	for _, p := range peers {
		p.send(slices.Repeat([]string{"x"}, each)...)
	}
	for range limit {
		<-c.met
	}
	begun := int64(0)
	for _, p := range peers {
		begun += p.begun.Load()
	}
	if begun < limit {
		t.Errorf("%d have begun, %d are handled", begun, limit)
	}
	close(c.leave)
	for _, p := range peers {
		for len(p.in.messages) < each {
			p.read()
		}
		p.end()
		if n := p.begun.Load(); n != each {
			t.Errorf("%d have begun, want %d", n, each)
		}
	}
	if n := c.most.Load(); n != limit {
		t.Errorf("%d were handled at a time, want %d", n, limit)
	}
}

// Answers that come Later are waited for, by the end as well.
func TestLaterWithOthers(t *testing.T) {
	leaktest.Check(t)
	for _, concurrency := range []int{1, 3} {
		laters := make(chan *lane.Later, 10)
		p := startPeer(t, &lane.Server{Handler: func(r *lane.Request) { laters <- r.Later() }, Concurrency: concurrency}, nil)
		p.send("a", "b", "c")
		p.write(encode(message{lane.KindEnd, 0, 0, nil}))
		var answering sync.WaitGroup
		for i := range 3 {
			later := <-laters
			answering.Go(func() { // ends with the answer
				if err := later.Reply([]byte(strconv.Itoa(i))); err != nil {
					t.Error(err)
				}
			})
		}
		answering.Wait()
		for len(p.in.messages) < 3 {
			p.read()
		}
		if err := <-p.done; err != nil {
			t.Error(err)
		}
	}
}

// Busy and Served tell how much a worker does.
func TestBusyServed(t *testing.T) {
	leaktest.Check(t)
	for _, concurrency := range []int{1, 3} {
		var busy, served, requests atomic.Int64
		s := &lane.Server{
			Handler: echo, Concurrency: concurrency,
			Busy:   func() { busy.Add(1) },
			Served: func(n int) { served.Add(1); requests.Add(int64(n)) },
		}
		p := startPeer(t, s, nil)
		for range 10 {
			p.send("a", "b", "c")
		}
		for len(p.in.messages) < 30 {
			p.read()
		}
		p.end()
		if busy.Load() != served.Load() || requests.Load() != 30 || busy.Load() == 0 {
			t.Errorf("Busy %d times, Served %d times, %d requests", busy.Load(), served.Load(), requests.Load())
		}
	}
}

// A peer that does not read stops the handlers, and its end ends Serve.
func TestPeerDoesNotRead(t *testing.T) {
	leaktest.Check(t)
	for _, concurrency := range []int{1, 3} {
		large := make([]byte, 1<<20)
		p := startPeer(t, &lane.Server{Handler: func(r *lane.Request) { _ = r.Reply(large) }, Concurrency: concurrency}, nil)
		p.send(slices.Repeat([]string{"x"}, 100)...)
		p.read() // which is some of it
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-p.done; err == nil || errors.Is(err, io.EOF) && concurrency == 1 {
			t.Errorf("Serve = %v, want an error of a write", err)
		}
		if n := p.begun.Load(); n == 100 {
			t.Error("all have begun, though nobody reads")
		}
	}
}

// A Server that handles one request at a time allocates nothing for one.
func TestAllocations(t *testing.T) {
	leaktest.Check(t)
	p := startPeer(t, &lane.Server{Handler: func(r *lane.Request) { _ = r.Reply(r.Payload) }}, nil)
	out := encode(slices.Repeat([]message{{lane.KindRequest, 0, 0, []byte("hello")}}, 100)...)
	back := make([]byte, len(out))
	allocs := testing.AllocsPerRun(100, func() {
		p.write(out)
		if _, err := io.ReadFull(p, back); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 { // for 100 requests
		t.Errorf("%v allocations for 100 requests", allocs)
	}
	p.end()
}

// When the other side is gone what is in hand ends, a call as well, and nothing else
// begins.
func TestGone(t *testing.T) {
	leaktest.Check(t)
	var handled atomic.Int64
	var c *lane.Client
	p, c := callers(t, &lane.Server{Handler: func(r *lane.Request) {
		if _, err := c.Call(t.Context(), 0, nil); !errors.Is(err, lane.ErrEnded) {
			t.Errorf("Call = %v, want ErrEnded", err)
		}
		if err := r.Reply(nil); err == nil {
			t.Error("Reply = nil, and nobody is there")
		}
		handled.Add(1)
	}}, 0, nil)
	p.send("a", "b", "c")
	p.nextCall()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-p.done; err == nil {
		t.Error("Serve = nil, and nobody has said that nothing follows")
	}
	if n, begun := handled.Load(), p.begun.Load(); n != 1 || begun != 1 {
		t.Errorf("%d handled, %d begun; want 1", n, begun)
	}
}
