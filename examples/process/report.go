//go:build linux

package main

import (
	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/manage"
)

// A report is what /stats shows.
type report struct {
	*echo.Report
	Dispatch   string   `json:"dispatch"`
	ByWorker   []int64  `json:"requests_by_worker"`
	Unanswered int64    `json:"unanswered"`     // now
	Lost       int64    `json:"lost_requests"`  // that had begun when their worker died
	Again      int64    `json:"sent_again"`     // the same, sent to another one
	Resent     int64    `json:"sent_elsewhere"` // that had not begun
	Dropped    int64    `json:"dropped"`        // requests whose client was gone
	Broken     int64    `json:"broken_lanes"`
	Restarts   int64    `json:"restarts"`
	Tasks      *tasks   `json:"tasks,omitempty"`
	Watch      *watched `json:"watch,omitempty"`
}

// tasks is what has become of the tasks of /task.
type tasks struct {
	PIDs      []int64 `json:"pids"` // of task workers
	Submitted int64   `json:"submitted"`
	Answered  int64   `json:"answered"`
	Failed    int64   `json:"failed"`
	Lost      int64   `json:"lost"`
	Pending   int64   `json:"pending"` // now
}

// watched is what the process that watches has seen.
type watched struct {
	PID    int64 `json:"pid"`
	Rounds int64 `json:"rounds"`
	Alive  int64 `json:"workers"`
	Memory int64 `json:"memory_bytes"`
}

// report returns what has been counted so far.
func (m *master) report() *report {
	var all []echo.Stats
	for _, r := range m.reactors {
		all = append(all, r.counts)
	}
	r := &report{Report: m.config.Report(m.started, all), Dispatch: m.dispatch}
	r.Spread, r.ByWorker, r.PIDs = make([]int64, m.config.Workers), make([]int64, m.config.Workers), m.pids(manage.Workers, m.config.Workers)
	for _, one := range m.reactors {
		s := one.requests.Stats()
		for i, slot := range s.Slots {
			r.Spread[i] += slot.Flows
			r.ByWorker[i] += slot.Requests
		}
		r.Unanswered += s.Pending()
		r.Lost += s.Lost
		r.Again += s.Redelivered
		r.Resent += s.Resent
		r.Dropped += s.Dropped
		r.Broken += s.Broken
	}
	r.Restarts = m.pool.Counters().Restarts
	if m.tasks != nil {
		s := m.tasks.Stats()
		r.Tasks = &tasks{m.pids(manage.Tasks, len(s.Slots)), s.Submitted, s.Answered, s.Failed, s.Lost, s.Pending()}
	}
	if words, err := m.pool.Words(watchers, 0); err == nil {
		r.Watch = &watched{words[wordPID].Load(), words[wordRounds].Load(), words[wordAlive].Load(), words[wordMemory].Load()}
	}
	return r
}

// pids returns the processes of a group of so many, 0 for none.
func (m *master) pids(group string, n int) []int64 {
	pids := make([]int64, n)
	for _, s := range m.pool.Status() {
		if s.Group == group && s.PID != 0 && !s.Successor {
			pids[s.Slot] = int64(s.PID) // the youngest comes last
		}
	}
	return pids
}
