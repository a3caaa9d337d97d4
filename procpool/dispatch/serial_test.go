//go:build linux

package dispatch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A served is a worker that is a lane.Server in a goroutine.
type served struct {
	*dispatch.Lane
	conn  *uds.Conn
	begun atomic.Int64
	ended chan error
}

// attachTo gives a slot a worker that does not serve yet.
func attachTo(tb testing.TB, d *dispatch.Dispatcher, slot int) *served {
	tb.Helper()
	ours, theirs, err := uds.SocketPair(uds.Stream)
	if err != nil {
		tb.Fatal(err)
	}
	w := &served{ended: make(chan error, 1)}
	if w.conn, err = theirs.Attach(); err != nil {
		tb.Fatal(err)
	}
	w.Lane = d.Attach(slot, dispatch.Worker{Socket: ours, Begun: w.begun.Load})
	w.Ready()
	return w
}

// serve starts to serve. It ends with the lane.
func (w *served) serve(handler lane.Handler) {
	s := &lane.Server{Handler: handler}
	go func() { w.ended <- s.Serve(w.conn, &w.begun) }()
}

// stop has the worker end when it has answered everything.
func (w *served) stop(tb testing.TB) {
	tb.Helper()
	w.Drain(nil)
	if err := <-w.ended; err != nil {
		tb.Errorf("Serve = %v; want nil", err)
	}
	w.Exited()
}

func echo(r *lane.Request) { _ = r.Reply(r.Payload) }

// Many goroutines submit requests of many flows. Each is answered once, in order.
func TestSerial(t *testing.T) {
	leaktest.Check(t)
	const slots, flows, each = 4, 16, 20_000 / 16
	s := dispatch.NewSerial()
	var all sync.WaitGroup
	all.Add(flows * each)
	next := make([]uint64, flows)
	d, err := dispatch.New(slots, s, &dispatch.Options{QueueBytes: 64 << 20, Answered: func(a dispatch.Answer) {
		if a.Err != nil || a.Cookie != next[a.Flow.ID] || binary.LittleEndian.Uint64(a.Payload) != a.Cookie {
			t.Errorf("answer of %d: %x, %v; want that of %d", a.Cookie, a.Payload, a.Err, next[a.Flow.ID])
		}
		next[a.Flow.ID]++
		all.Done()
	}})
	if err != nil {
		t.Fatal(err)
	}
	var workers []*served
	for i := range slots {
		workers = append(workers, attachTo(t, d, i))
		workers[i].serve(echo)
	}
	for id := range uint64(flows) {
		go func() {
			var f *dispatch.Flow
			for i := range uint64(each) {
				_ = s.Post(func() { // it is open
					if i == 0 {
						f = d.Open(id, 0, nil)
					}
					if err := d.Submit(f, dispatch.Request{Payload: binary.LittleEndian.AppendUint64(nil, i), Cookie: i}); err != nil {
						t.Errorf("Submit = %v; want nil", err)
						all.Done()
					}
				})
			}
		}()
	}
	all.Wait()
	for _, w := range workers {
		w.stop(t)
	}
	if st := d.Stats(); st.Answered != flows*each || st.Pending() != 0 {
		t.Errorf("Stats() = %+v; want %d answered", st, flows*each)
	}
}

// What the kernel does not take is sent when the worker reads.
func TestSerialBlocks(t *testing.T) {
	leaktest.Check(t)
	const n, size = 50, 100_000
	s := dispatch.NewSerial()
	var all sync.WaitGroup
	all.Add(n)
	d, err := dispatch.New(1, s, &dispatch.Options{WindowBytes: n * size, QueueBytes: n * size, Answered: func(a dispatch.Answer) {
		if want := bytes.Repeat([]byte{byte(a.Cookie)}, size); !bytes.Equal(a.Payload, want) {
			t.Errorf("answer of %d has %d bytes; want %d of it", a.Cookie, len(a.Payload), size)
		}
		all.Done()
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := attachTo(t, d, 0)
	err = s.Post(func() {
		f := d.Open(1, 0, nil)
		for i := range n {
			if err := d.Submit(f, dispatch.Request{Payload: bytes.Repeat([]byte{byte(i)}, size), Cookie: uint64(i)}); err != nil {
				t.Errorf("Submit = %v; want nil", err)
			}
		}
	})
	if err != nil {
		t.Errorf("Post = %v; want nil", err)
	}
	w.serve(echo)
	all.Wait()
	w.stop(t)
}

// A worker that ends while the kernel takes no more leaves nothing behind.
func TestSerialDeathWhileBlocked(t *testing.T) {
	leaktest.Check(t)
	s := dispatch.NewSerial()
	lost := make(chan error, 1)
	d, err := dispatch.New(1, s, &dispatch.Options{Answered: func(a dispatch.Answer) { lost <- a.Err }})
	if err != nil {
		t.Fatal(err)
	}
	w := attachTo(t, d, 0)
	_ = s.Post(func() { _ = d.Submit(d.Open(1, 0, nil), dispatch.Request{Payload: make([]byte, 8<<20)}) })
	if err := w.conn.Close(); err != nil {
		t.Error(err)
	}
	w.Exited()
	d.Finish(0)
	if err := <-lost; !errors.Is(err, dispatch.ErrNoWorker) {
		t.Errorf("the request came to %v; want %v", err, dispatch.ErrNoWorker)
	}
}

// A Serial that is closed runs what was posted before, and nothing more. What it has
// watched is let go when the worker ends.
func TestSerialClose(t *testing.T) {
	leaktest.Check(t)
	s := dispatch.NewSerial()
	d, err := dispatch.New(1, s, &dispatch.Options{Answered: func(dispatch.Answer) {}})
	if err != nil {
		t.Fatal(err)
	}
	w := attachTo(t, d, 0)
	last := make(chan bool, 1)
	_ = s.Post(func() {
		_ = s.Post(func() { last <- true })
		s.Close()
		if err := s.Post(func() {}); !errors.Is(err, dispatch.ErrStopped) {
			t.Errorf("Post = %v; want %v", err, dispatch.ErrStopped)
		}
	})
	<-last
	if err := w.conn.Close(); err != nil {
		t.Error(err)
	}
	w.Exited()
	ours, theirs, err := uds.SocketPair(uds.Stream)
	if err != nil {
		t.Fatal(err)
	}
	released := 0
	l := d.Attach(0, dispatch.Worker{Socket: ours, Released: func() { released++ }})
	l.Exited()
	if err := theirs.Close(); err != nil || released != 1 {
		t.Errorf("Close = %v, released %d times; want nil, once", err, released)
	}
}

// Rounds that follow each other do not keep the goroutine that has posted the first.
func TestSerialManyRounds(t *testing.T) {
	leaktest.Check(t)
	s := dispatch.NewSerial()
	const rounds = 1000
	done := make(chan int, 1)
	n, deferred := 0, 0
	var again func()
	again = func() {
		s.Defer(func() { s.Defer(func() { deferred++ }) })
		if n++; n == rounds {
			done <- deferred
			return
		}
		_ = s.Post(again) // it is open
	}
	_ = s.Post(again)
	if got := <-done; got != rounds-1 {
		t.Errorf("%d functions were deferred before the last round, want %d", got, rounds-1)
	}
}
