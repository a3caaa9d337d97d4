//go:build linux

package procpool

import (
	"encoding/json"
	"fmt"
)

// The control channel is the Pipe of a worker: packets, the first of which is the
// manager's hello. All others are one byte. Nothing else goes that way, so that
// neither a full inbox nor much work keeps a worker from hearing that it is to stop.

// A word is what a worker tells the manager.
type word byte

// The words. The last one is the manager's own.
const (
	wordReady  word = 'r'
	wordRetire word = 't' // it wants a successor
	wordDetach word = 'd' // it goes on by itself
	wordExited word = 0   // its process is gone
)

// An order is what the manager tells a worker.
type order byte

// The orders.
const (
	orderReplace order = 'r' // a successor is ready: finish what is in hand, and end
	orderStop    order = 's' // the pool stops: as above
	orderCut     order = 'c' // time is up
)

// A hello tells a worker who it is. Both sides are one program, so it has no version.
type hello struct {
	Group       string        `json:"group"`
	Slot        int           `json:"slot"`
	Incarnation int           `json:"incarnation"`
	Bank        int           `json:"bank"`               // of the shared page
	Requests    int           `json:"requests,omitempty"` // before it retires
	Words       int           `json:"words,omitempty"`    // of each slot, for the application
	Message     int           `json:"message,omitempty"`  // the longest, in bytes
	Groups      []groupNumber `json:"groups"`
	Concurrency int           `json:"concurrency,omitempty"`
	Lanes       []lanePlan    `json:"lanes,omitempty"`
}

// A lanePlan says what a lane is for.
type lanePlan struct {
	Name  string `json:"name,omitempty"`
	Calls bool   `json:"calls,omitempty"`
	Max   int    `json:"max,omitempty"` // the longest message, in bytes; 0 is the default
}

// A groupNumber tells where the slots of a group are among those of the pool.
type groupNumber struct {
	Name  string `json:"name"`
	First int    `json:"first"`
	Count int    `json:"count"`
}

// layout is the groups of a pool, in order.
type layout []groupNumber

// number returns where a slot is among all slots of the pool.
func (l layout) number(group string, slot int) (int, error) {
	for _, g := range l {
		if g.Name != group {
			continue
		}
		if slot < 0 || slot >= g.Count {
			return 0, fmt.Errorf("procpool: no slot %d in group %s, want 0 to %d", slot, group, g.Count-1)
		}
		return g.First + slot, nil
	}
	return 0, fmt.Errorf("procpool: no group %q", group)
}

// at returns the group and the slot of a number.
func (l layout) at(number int) (group string, slot int) {
	for _, g := range l {
		if number >= g.First && number < g.First+g.Count {
			return g.Name, number - g.First
		}
	}
	return "", 0
}

// total returns the number of slots.
func (l layout) total() int {
	if len(l) == 0 {
		return 0
	}
	last := l[len(l)-1]
	return last.First + last.Count
}

// parseHello returns what the manager says first.
func parseHello(packet []byte) (*hello, error) {
	h := new(hello)
	if err := json.Unmarshal(packet, h); err != nil {
		return nil, fmt.Errorf("procpool: the manager's hello: %w", err)
	}
	if h.Bank < 0 || h.Words < 0 || h.Words > maxWords {
		return nil, fmt.Errorf("procpool: the manager's hello: bank %d, %d words", h.Bank, h.Words)
	}
	return h, nil
}
