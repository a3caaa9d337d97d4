//go:build linux

package main

import (
	"errors"
	"hash/fnv"
	"net/netip"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/procpool/dispatch"
)

// window is how many requests of one loop a worker has at a time, unanswered.
const window = 1024

// reserve is how much longer than a frame an answer may be, in bytes.
const reserve = 64 << 10

// A reactor is a loop of the master, with its connections and its lanes.
type reactor struct {
	*master
	loop     *epoll.Loop
	requests *dispatch.Dispatcher
	commands bool // frames may be
	counts   echo.Stats
	written  int // bytes of answers that are not counted
	stopping bool
	idle     chan struct{} // closed when it stops, and has no connections any more
}

// newReactor returns the reactor of a loop, which is the State of that from now on.
func newReactor(m *master, l *epoll.Loop) (r *reactor, err error) {
	r = &reactor{master: m, loop: l, commands: m.config.Frame == "eof", counts: echo.NewStats(nil), idle: make(chan struct{})}
	l.State = r
	l.Cycle(func() {
		if r.written > 0 {
			r.counts.BytesOut.Add(int64(r.written))
			r.written = 0
		}
	})
	r.requests, err = m.pool.Dispatcher(manage.Workers, "", dispatch.OnLoop(l), &dispatch.Options{
		Policy: m.policy, Window: window, Max: m.config.Max + reserve, Answered: answered,
		Full: func(f *dispatch.Flow) { f.State.(*conn).hold() },
		Room: func(f *dispatch.Flow) { f.State.(*conn).goOn() },
	})
	return r, err
}

// answered writes an answer to the connection that has asked.
func answered(a dispatch.Answer) {
	c := a.Flow.State.(*conn)
	if err := c.answer(&a); err != nil {
		_ = c.Close(err) // or it is closed
	}
}

// clients returns the Handler of connections.
func (m *master) clients() *epoll.Handler {
	return &epoll.Handler{
		Opened:  func(c *epoll.Conn) error { c.Loop().State.(*reactor).opened(c); return nil },
		Data:    func(c *epoll.Conn, p []byte) error { return of(c).data(p) },
		EOF:     func(c *epoll.Conn) error { return of(c).eof() },
		Drained: func(c *epoll.Conn) error { return of(c).drained() },
		Closed:  func(c *epoll.Conn, reason error) { of(c).closed(reason) },
		Limits:  &epoll.Limits{Frame: m.config.Max, Cap: output(m.config.Max)},
	}
}

// output returns how many bytes a connection may have that its client does not take:
// enough for all answers that are on their way when it is found not to read.
func output(longest int) int {
	unread := epoll.DefaultHighWater + epoll.DefaultTurn + longest
	return unread + dispatch.DefaultWindowBytes + dispatch.DefaultQueueBytes + 2*(longest+reserve)
}

// opened takes a connection.
func (r *reactor) opened(e *epoll.Conn) {
	r.counts.Accepted.Add(1)
	c := &conn{Conn: e, on: r, remote: loop.Remote(e.FD()), in: framing.Decoder{Splitter: r.config.Codec, Max: r.config.Max}}
	c.flow = r.requests.Open(e.ID(), peer(c.remote), c)
	e.State = c
}

// peer returns what -dispatch peer goes by: the address without the port.
func peer(remote netip.AddrPort) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(remote.Addr().AsSlice()) // it cannot fail
	return h.Sum64()
}

// stop ends the connections when they have been answered what comes within loop.Grace.
func (r *reactor) stop() {
	r.loop.After(loop.Grace, func() {
		r.stopping = true
		for e := range r.loop.Conns() {
			of(e).finish()
		}
		r.left()
	})
}

// left notes that a connection is gone.
func (r *reactor) left() {
	if r.stopping && r.counts.Accepted.Load() == r.counts.Closed.Load() {
		r.stopping = false
		close(r.idle)
	}
}

// errLost is why a connection is closed whose frame was lost twice.
var errLost = errors.New("request lost twice")
