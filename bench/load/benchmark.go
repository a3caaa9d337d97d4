//go:build linux

package load

import (
	"io"
	"syscall"
	"testing"
	"time"
)

// Echo is a benchmark of a server: an operation is a request. Network is as for
// Start.
func Echo(b *testing.B, server, network string, l Load) {
	b.Helper()
	room(b, l.Conns+l.Idle)
	p := launch(b, server, network)
	c, err := Dial(p, l)
	if err != nil {
		b.Fatal(err)
	}
	closing(b, c)
	if err := c.Warm(); err != nil {
		b.Fatal(err)
	}
	m := begin(b, p, c)
	repeat(b, c)
	m.report(b, "req")
}

// A runner is a Client or a Churner.
type runner interface {
	Begin() error
	Next() error
	Finish() error
}

// repeat runs c as often as b says.
func repeat(b *testing.B, c runner) {
	b.Helper()
	if err := c.Begin(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := c.Next(); err != nil {
			b.Fatal(err)
		}
	}
	if err := c.Finish(); err != nil {
		b.Fatal(err)
	}
}

// room skips a benchmark for which a process may not have descriptors enough.
func room(b *testing.B, conns int) {
	b.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	if need := uint64(conns) + 64; limit.Cur < need {
		b.Skipf("a process may have %d descriptors; it takes %d (ulimit -n)", limit.Cur, need)
	}
}

// launch starts a server, and ends it with the benchmark.
func launch(b *testing.B, server, network string) *Process {
	b.Helper()
	p, err := Start(server, network)
	if err != nil {
		b.Fatal(err)
	}
	closing(b, p)
	return p
}

// closing closes c at the end of the benchmark.
func closing(b *testing.B, c io.Closer) {
	b.Helper()
	b.Cleanup(func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	})
}

// A meter is what there was when a measurement began.
type meter struct {
	p     *Process
	c     *Client
	total int
	cpu   time.Duration
	at    time.Time
}

// begin begins a measurement, while the server rests.
func begin(b *testing.B, p *Process, c *Client) meter {
	b.Helper()
	m := meter{p: p, c: c, total: c.total}
	var err error
	if m.cpu, err = p.CPU(); err != nil {
		b.Fatal(err)
	}
	c.times = histogram{}
	m.at = time.Now()
	return m
}

// report reports what was taken for each thing that was answered since, when all
// are answered.
func (m meter) report(b *testing.B, unit string) {
	b.Helper()
	elapsed, times := time.Since(m.at), m.c.times
	end := begin(b, m.p, m.c)
	n := float64(end.total - m.total)
	b.ReportMetric(micros(end.cpu-m.cpu)/n, "cpu-µs/"+unit)
	b.ReportMetric(n/elapsed.Seconds(), unit+"s/s")
	b.ReportMetric(times.quantile(0.5), "p50-ns")
	b.ReportMetric(times.quantile(0.99), "p99-ns")
	b.ReportMetric(times.quantile(0.999), "p99.9-ns")
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
