package echo

import (
	"os"
	"sync/atomic"
	"time"
)

// Stats is what a worker counts. Any goroutine may read it.
type Stats struct {
	Accepted, Closed, Errors    *atomic.Int64 // connections, and how many ended in an error
	Requests, BytesIn, BytesOut *atomic.Int64
	Lost, Cut                   *atomic.Int64 // connections: with their process, and by a reload
}

// StatsWords is how many words Stats count in.
const StatsWords = 16 // two cache lines: no two workers write to one, and half is free

// NewStats returns Stats that count in words, which processes may share, or, if that
// is nil, in memory of their own.
func NewStats(words []atomic.Int64) Stats {
	if words == nil {
		words = make([]atomic.Int64, StatsWords)
	}
	return Stats{
		Accepted: &words[0], Closed: &words[1], Errors: &words[2],
		Requests: &words[3], BytesIn: &words[4], BytesOut: &words[5],
		Lost: &words[6], Cut: &words[7],
	}
}

// A Report is what /stats shows: all workers together.
type Report struct {
	*Config
	PID         int     `json:"pid"`
	Uptime      int64   `json:"uptime_ms"`
	Connections int64   `json:"connections"` // open now
	Spread      []int64 `json:"connections_by_worker"`
	Accepted    int64   `json:"accepted"`
	Closed      int64   `json:"closed"`
	Errors      int64   `json:"errors"`
	Requests    int64   `json:"requests"`
	BytesIn     int64   `json:"bytes_in"`
	BytesOut    int64   `json:"bytes_out"`
	PIDs        []int64 `json:"worker_pids,omitempty"` // where workers are processes, 0 for none
	Lost        int64   `json:"lost,omitempty"`
	Cut         int64   `json:"cut,omitempty"`
}

// Report sums up what the workers of a server have counted since it was started.
func (c *Config) Report(started time.Time, workers []Stats) *Report {
	r := &Report{Config: c, PID: os.Getpid(), Uptime: time.Since(started).Milliseconds()}
	for _, s := range workers {
		closed := s.Closed.Load() // first, or one could be seen closed and not accepted
		accepted := s.Accepted.Load()
		r.Connections += accepted - closed
		r.Spread = append(r.Spread, accepted-closed)
		r.Accepted += accepted
		r.Closed += closed
		r.Errors += s.Errors.Load()
		r.Requests += s.Requests.Load()
		r.BytesIn += s.BytesIn.Load()
		r.BytesOut += s.BytesOut.Load()
		r.Lost += s.Lost.Load()
		r.Cut += s.Cut.Load()
	}
	return r
}
