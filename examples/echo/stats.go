package echo

import (
	"strconv"
	"sync/atomic"
	"time"
)

// Stats is what a server tells of itself: /stats shows it as one line of JSON.
type Stats struct {
	*Config
	PID         int     `json:"pid"`
	Uptime      Since   `json:"uptime_ms"`
	Connections Counter `json:"connections"` // open now
	Accepted    Counter `json:"accepted"`
	Closed      Counter `json:"closed"`
	Errors      Counter `json:"errors"`   // connections that ended in one
	Requests    Counter `json:"requests"` // frames answered, and the one that asks
	BytesIn     Counter `json:"bytes_in"`
	BytesOut    Counter `json:"bytes_out"`
}

// A Counter is a number that any goroutine may change.
type Counter struct{ atomic.Int64 }

// MarshalJSON returns the number.
func (c *Counter) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, c.Load(), 10), nil }

// Since is a moment that JSON shows as the milliseconds since.
type Since struct{ time.Time }

// MarshalJSON returns the milliseconds.
func (s Since) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, time.Since(s.Time).Milliseconds(), 10), nil
}
