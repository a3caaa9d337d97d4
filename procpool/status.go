//go:build linux

package procpool

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plait-go/plait/userprocess"
)

// A Status is how a process of a pool is, or a slot that has none.
type Status struct {
	Group       string
	Kind        Kind
	Slot        int
	Incarnation int // of the process, or of the last one
	PID         int // 0 if there is no process
	State       State
	Successor   bool              // it is to take the place of another process of the slot
	Uptime      time.Duration     // since the process was started, or 0
	Restarts    int               // of the slot, after ends that nobody wanted
	LastExit    *userprocess.Exit // in the slot, or nil; not to be changed
	NextStart   time.Time         // in StateBackoff
	Requests    int64             // that this process has begun
	Memory      int64             // resident, in bytes; 0 if /proc does not tell

	started time.Time
	bank    int
}

// publish shows how the slot is. It is called before anybody hears of a change.
func (s *slot) publish() {
	base := Status{Group: s.group.Name, Kind: s.group.Kind, Slot: s.id, Restarts: s.restarts, LastExit: s.last}
	var all []Status
	for _, p := range s.procs {
		st := base
		st.Incarnation, st.PID, st.State, st.Successor = p.incarnation, p.PID(), p.state, p == s.successor && p.state == StateStarting
		st.started, st.bank = p.started, p.bank
		all = append(all, st)
	}
	if s.current == nil || !slices.Contains(s.procs, s.current) {
		base.Incarnation, base.State = s.incarnation, StateBackoff
		if s.finished {
			base.State = StateFinished
		} else if s.resume.After(time.Now()) {
			base.NextStart = s.resume
		}
		all = append(all, base)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = all
}

// Status returns how all processes are, in the order of the groups, their slots, and
// the age of the processes. A slot that has no worker is there, too.
func (p *Pool) Status() []Status {
	var all []Status
	for _, s := range p.slots {
		s.mu.Lock()
		all = append(all, s.status...)
		s.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range all {
		st := &all[i]
		if st.PID == 0 {
			continue
		}
		st.Uptime, st.Memory = time.Since(st.started), memory(st.PID)
		number, err := p.layout.number(st.Group, st.Slot)
		if !p.running || p.resources == nil || err != nil { // the page is not there
			continue
		}
		begun, done := p.shared.requests(number, st.bank)
		if st.Requests = begun; begun > done && st.State == StateIdle {
			st.State = StateBusy
		}
	}
	return all
}

// memory returns the resident memory of a process, in bytes, or 0. See statm in
// proc_pid_statm(5).
func memory(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
