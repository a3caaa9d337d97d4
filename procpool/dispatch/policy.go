//go:build linux

package dispatch

// A Policy says which worker gets a request. The zero Policy is that of Sticky.
type Policy struct {
	name string
	kind policyKind
	pick func(f *Flow, payload []byte) int
}

type policyKind uint8

const (
	sticky policyKind = iota
	keyed
	inTurn
	leastBusy
	firstIdle
	custom
)

// String returns the name in lower case.
func (p Policy) String() string {
	if p.name == "" {
		return "sticky"
	}
	return p.name
}

// Ordered reports whether the answers of a flow are in the order of its requests,
// where Concurrency of the workers is 1. Custom keeps the order of what goes to one
// slot.
func (p Policy) Ordered() bool { return p.kind == sticky || p.kind == keyed }

// Sticky gives all requests of a flow to one slot: the one that had the fewest flows
// when it was opened.
func Sticky() Policy { return Policy{name: "sticky", kind: sticky} }

// Keyed gives all requests of flows with the same key to one slot: that of a user, or
// of an address.
func Keyed() Policy { return Policy{name: "keyed", kind: keyed} }

// RoundRobin gives each request to the next slot in turn, but to none that has its
// window full.
func RoundRobin() Policy { return Policy{name: "round-robin", kind: inTurn} }

// LeastBusy gives a request to a worker with the fewest unanswered ones, in turn
// where there are several.
func LeastBusy() Policy { return Policy{name: "least-busy", kind: leastBusy} }

// FirstIdle gives a request to the first worker that has none unanswered. It waits
// for one to be.
func FirstIdle() Policy { return Policy{name: "first-idle", kind: firstIdle} }

// What a function of Custom may return besides the number of a slot.
const (
	Refuse  = -1 // the request: Submit returns ErrRefused
	Default = -2 // as RoundRobin does
)

// Custom gives a request to the slot that pick returns. One that there is not is an
// error of Submit.
func Custom(pick func(f *Flow, payload []byte) int) Policy {
	return Policy{name: "custom", kind: custom, pick: pick}
}

// slotOf returns the slot of a key: of consecutive ones as well as of others, evenly.
// See Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014, for
// the constants of the mix.
func (d *Dispatcher) slotOf(key uint64) *slot {
	key ^= key >> 30
	key *= 0xbf58476d1ce4e5b9
	key ^= key >> 27
	key *= 0x94d049bb133111eb
	key ^= key >> 31
	return d.slots[key%uint64(len(d.slots))]
}

// fewest returns the slot with the fewest flows, of those that will have a worker, the
// next one in turn if there are several.
func (d *Dispatcher) fewest() *slot {
	var best *slot
	for i := range d.slots {
		s := d.slots[(d.turn+i)%len(d.slots)]
		if best == nil || best.finished && !s.finished || best.finished == s.finished && s.flows < best.flows {
			best = s
		}
	}
	d.turn = (best.number + 1) % len(d.slots)
	return best
}

// choose returns the lane of the worker that the next request goes to, by a policy
// that chooses one for each request, or nil if it has to wait.
func (d *Dispatcher) choose() *Lane {
	var best *Lane
	for i := range d.slots {
		l := d.slots[(d.turn+i)%len(d.slots)].lane
		if d.policy.kind == firstIdle {
			l = d.slots[i].lane
		}
		if l == nil || !l.hasRoom() {
			continue
		}
		switch d.policy.kind {
		case firstIdle:
			if l.unanswered > 0 {
				continue
			}
		case leastBusy:
			if best == nil || l.unanswered < best.unanswered {
				best = l
			}
			continue
		}
		best = l
		break
	}
	if best != nil {
		d.turn = (best.slot.number + 1) % len(d.slots)
	}
	return best
}
