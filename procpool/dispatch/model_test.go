//go:build linux

package dispatch_test

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds/leaktest"
)

var sequences = flag.Int("sequences", 12, "how many sequences TestModel tries of each kind") //nolint:gochecknoglobals // a flag

// The limits of a model.
const (
	modelWindow      = 5
	modelWindowBytes = 100 << 10
	modelQueueBytes  = 150 << 10
)

// A claim is a request of a model, and what is known of it.
type claim struct {
	flow      *source
	payload   []byte
	redeliver bool
	begun     int // times
	replied   bool
	outcomes  int
}

// A source is a flow of a model.
type source struct {
	*dispatch.Flow
	closed bool
	full   bool
	last   uint64 // cookie of the last answer
}

// A model is a rig, and what must hold for it.
type model struct {
	*rig
	policy   dispatch.Policy
	inOrder  bool // workers answer one request after the other
	flows    []*source
	claims   []*claim // by cookie
	now      []*worker
	finished []bool
	wrong    []string
}

func newModel(tb testing.TB, policy dispatch.Policy, slots int, inOrder bool) *model {
	tb.Helper()
	m := &model{policy: policy, inOrder: inOrder, now: make([]*worker, slots), finished: make([]bool, slots)}
	m.rig = newRig(tb, slots, dispatch.Options{
		Policy: policy, Window: modelWindow, WindowBytes: modelWindowBytes, QueueBytes: modelQueueBytes, Max: 256 << 10,
		Answered: m.answered,
		Full:     func(f *dispatch.Flow) { m.turn(f, true) },
		Room:     func(f *dispatch.Flow) { m.turn(f, false) },
	})
	for id := range 4 {
		m.flows = append(m.flows, new(source))
		m.open(id)
	}
	for i := range slots {
		m.now[i] = m.serve(i)
	}
	return m
}

func (m *model) must(ok bool, format string, args ...any) {
	if !ok {
		m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
	}
}

// open puts a new flow in a place.
func (m *model) open(i int) {
	m.flows[i] = new(source)
	m.round(func() { m.flows[i].Flow = m.d.Open(uint64(i), uint64(i), m.flows[i]) })
}

// turn is told by Full and Room.
func (m *model) turn(f *dispatch.Flow, full bool) {
	s := f.State.(*source)
	m.must(s.full == !full && !s.closed && f.Full() == full, "Full %t of a flow that is %+v", full, s)
	s.full = full
}

// answered is told of all answers.
func (m *model) answered(a dispatch.Answer) {
	c, s := m.claims[a.Cookie], a.Flow.State.(*source)
	c.outcomes++
	m.must(c.outcomes == 1 && c.flow == s && !s.closed, "%d outcomes of request %d: %v", c.outcomes, a.Cookie, a.Err)
	if m.policy.Ordered() && m.inOrder && !errors.Is(a.Err, dispatch.ErrNoWorker) {
		m.must(a.Cookie >= s.last, "request %d was answered after %d", a.Cookie, s.last)
		s.last = a.Cookie
	}
	switch limit := 1 + times(c.redeliver); {
	case a.Err == nil:
		m.must(c.replied && string(a.Payload) == string(c.payload), "request %d was answered with another's %d bytes", a.Cookie, len(a.Payload))
	case errors.Is(a.Err, dispatch.ErrLost):
		m.must(!c.replied && c.begun == limit, "request %d has begun %d times, replied: %t, lost", a.Cookie, c.begun, c.replied)
	case errors.Is(a.Err, dispatch.ErrNoWorker):
		m.must(!c.replied, "request %d was answered, but %v", a.Cookie, a.Err)
	default:
		m.must(false, "request %d: %v", a.Cookie, a.Err)
	}
}

func times(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// request submits a request of a flow.
func (m *model) request(s *source, n int) {
	if s.closed {
		return
	}
	number := uint64(len(m.claims))
	payload := binary.LittleEndian.AppendUint64(make([]byte, 0, n+8), number)
	c := &claim{flow: s, payload: payload[:n+8], redeliver: n%3 == 1}
	m.claims = append(m.claims, c)
	m.round(func() {
		err := m.d.Submit(s.Flow, dispatch.Request{Payload: c.payload, Cookie: number, Redeliver: c.redeliver})
		if err != nil {
			c.outcomes = -1000 // as it was not taken
			m.must(errors.Is(err, dispatch.ErrFull) || errors.Is(err, dispatch.ErrNoWorker), "Submit = %v", err)
		}
	})
}

// claimOf returns what a message is about.
func (m *model) claimOf(msg message) *claim {
	return m.claims[binary.LittleEndian.Uint64(msg.payload)]
}

// begins has a worker begin a request.
func (m *model) begins(w *worker) {
	if m.inOrder && len(w.open) > 0 || w.begin(1) == 0 {
		return
	}
	c := m.claimOf(w.open[len(w.open)-1])
	c.begun++
	m.must(c.begun <= 1+times(c.redeliver), "a request has begun %d times, redeliver: %t", c.begun, c.redeliver)
}

// answers has a worker answer a request that has begun.
func (m *model) answers(w *worker, which int) {
	if len(w.open) > 0 {
		which %= len(w.open)
		m.claimOf(w.open[which]).replied = true
		w.answer(which)
	}
}

// dies has a worker end, perhaps in the middle of an answer.
func (m *model) dies(w *worker, half bool) {
	if half && len(w.open) > 0 {
		reply := lane.Append(nil, lane.Header{Kind: lane.KindReply, ID: w.open[0].ID}, w.open[0].payload)
		w.send(reply[:len(reply)/2])
	}
	w.die()
	for i := range m.now {
		if m.now[i] == w {
			m.now[i] = nil
		}
	}
}

// succeed has another worker take over from the one in a slot, which is drained.
func (m *model) succeed(slot int) {
	if m.finished[slot] || len(m.workers) > 6 {
		return
	}
	old := m.now[slot]
	m.now[slot] = m.serve(slot)
	if old != nil {
		old.Drain(nil)
		m.run()
	}
}

// check looks for what must never be.
func (m *model) check() {
	m.identity()
	for _, w := range m.workers {
		cost, n := 0, len(w.waits)+len(w.open)
		for _, msg := range append(w.open[:len(w.open):len(w.open)], w.waits...) {
			m.must(n == 1 || cost < modelWindowBytes, "a worker has %d requests, and %d bytes before the last", n, cost)
			cost += len(msg.payload) + 64
		}
		m.must(n <= modelWindow, "a worker has %d requests; the window is %d", n, modelWindow)
		m.must(len(w.broken) == 0, "the lane of a worker broke: %v", w.broken)
	}
}

// finish gives each slot a worker again, has everything answered, and checks what has
// become of all requests.
func (m *model) finish() string {
	for i := range m.now {
		if m.now[i] == nil && !m.finished[i] {
			m.now[i] = m.serve(i)
		}
	}
	for again := true; again; {
		again = false
		for _, w := range m.workers {
			again = w.takeAll() || again
			for m.begins(w); len(w.open) > 0; m.begins(w) {
				m.answers(w, 0)
				again = true
			}
		}
	}
	m.must(m.pending() == 0, "Stats() = %+v; want nothing pending", m.d.Stats())
	for i, c := range m.claims {
		m.must(c.outcomes == 1 || c.flow.closed && c.outcomes == 0 || c.outcomes == -1000, "request %d has %d outcomes", i, c.outcomes)
	}
	for i, s := range m.flows {
		m.must(s.closed || s.Pending() == 0 && !s.Full(), "flow %d has %d pending, Full: %t", i, s.Pending(), s.Full())
	}
	m.check()
	m.end()
	return strings.Join(m.wrong, "; ")
}

// Whatever workers do, and however they end: each request has one outcome, the one that
// it should have, and nobody has more than was allowed.
func TestModel(t *testing.T) {
	leaktest.Check(t)
	for _, policy := range policies() {
		for slots := 1; slots <= 3; slots++ {
			for _, inOrder := range []bool{true, false} {
				t.Run(fmt.Sprintf("%v/slots=%d/order=%t", policy, slots, inOrder), func(t *testing.T) {
					parameters := gopter.DefaultTestParameters()
					parameters.MinSuccessfulTests = *sequences
					parameters.MaxSize = 250
					properties := gopter.NewProperties(parameters)
					properties.Property("each request has one outcome", prop.ForAll(func(steps []uint32) string {
						m := newModel(t, policy, slots, inOrder)
						for _, step := range steps {
							m.do(step)
							m.check()
						}
						return m.finish()
					}, gen.SliceOf(gen.UInt32())))
					properties.TestingRun(t)
				})
			}
		}
	}
}
