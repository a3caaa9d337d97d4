//go:build linux

package dispatch_test

import (
	"encoding/binary"

	"github.com/plait-go/plait/procpool/dispatch"
)

// policies returns all policies. That of Custom chooses a slot for one request, and
// leaves the next to the Dispatcher.
func policies() []dispatch.Policy {
	pick := func(f *dispatch.Flow, payload []byte) int {
		if n := binary.LittleEndian.Uint64(payload); n%2 == 0 {
			return int(f.ID % 2 & n / 2)
		}
		return dispatch.Default
	}
	return []dispatch.Policy{
		dispatch.Sticky(), dispatch.Keyed(), dispatch.RoundRobin(),
		dispatch.LeastBusy(), dispatch.FirstIdle(), dispatch.Custom(pick),
	}
}

// do does the step that a number stands for.
func (m *model) do(step uint32) {
	which := int(step >> 8 & 0xff)
	size := int(step >> 16)
	switch kind := step % 32; {
	case kind < 11:
		if kind > 1 {
			size %= 2000
		} else {
			size *= 3
		}
		m.request(m.flows[which%len(m.flows)], size)
	case kind < 14:
		m.settle()
	case kind < 24:
		m.doWorker(int(kind-14), which, size)
	case kind < 26:
		m.succeed(which % len(m.now))
	default:
		m.doFlow(int(kind-26), which)
	}
}

// doWorker does a step of one of the workers.
func (m *model) doWorker(kind, which, size int) {
	if len(m.workers) == 0 {
		return
	}
	w := m.workers[which%len(m.workers)]
	switch kind {
	case 0, 1:
		w.take(all)
	case 2:
		w.take(size)
	case 3, 4, 5:
		m.begins(w)
	case 6, 7, 8:
		m.answers(w, size)
	default:
		m.dies(w, size%2 == 0)
	}
}

// doFlow does a step of one of the flows, or, rarely, has a slot end for good.
func (m *model) doFlow(kind, which int) {
	i := which % len(m.flows)
	s := m.flows[i]
	switch kind {
	case 0:
		m.round(func() { s.Close() })
		s.closed = true
	case 1:
		m.round(func() { s.Discard() })
		s.closed = true
	case 2, 3:
		if s.closed {
			m.open(i)
		}
	case 4:
		m.round(func() { s.SetKey(uint64(which)) })
	default:
		if slot := which % len(m.now); which > 240 {
			m.finished[slot] = true
			m.d.Finish(slot)
			m.run()
		}
	}
}
