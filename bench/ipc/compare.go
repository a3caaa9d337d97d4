//go:build linux

package ipc

import (
	"flag"
	"math"
	"testing"
	"time"
)

// leastRounds is how often each Task is done where -benchtime is a time.
const leastRounds = 7

// Compare is a benchmark of ours in relation to base: both are done in turn, and of
// each the least time counts.
//
// Messages of both are those for a -benchtime of a second: with a time there are 7
// rounds, of so many messages for each second; with one of N times, N rounds of a
// hundredth of that.
func Compare(b *testing.B, ours, base Task) {
	b.Helper()
	rounds, scale := b.N, 0.01
	if d, err := time.ParseDuration(benchtime()); err == nil {
		rounds, scale = leastRounds, d.Seconds()
	}
	tasks := [2]Task{ours, base}
	var got [2]measure
	for round := range rounds {
		for i := range tasks {
			i = (i + round) % len(tasks)
			t := tasks[i]
			t.Messages = int(math.Ceil(float64(t.Messages) * scale))
			m, err := run(t)
			if err != nil {
				b.Fatal(err)
			}
			if round > 0 {
				m = m.least(got[i])
			}
			got[i] = m
		}
	}
	publish(b, ours, got[0], got[1])
}

func publish(b *testing.B, t Task, us, them measure) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // both ways together: of no use
	b.ReportMetric(math.Round(us.allocs*100)/100, "allocs/msg")
	if t.Work == PingPong {
		b.ReportMetric(us.p50, "p50-ns")
		b.ReportMetric(us.p99, "p99-ns")
		b.ReportMetric(them.p50, "base-p50-ns")
		b.ReportMetric(them.p99, "base-p99-ns")
		b.ReportMetric(us.p50/them.p50, "ratio")
		return
	}
	b.ReportMetric(us.wall, "ns/msg")
	b.ReportMetric(them.wall, "base-ns/msg")
	b.ReportMetric(us.cpu, "cpu-ns/msg")
	b.ReportMetric(them.cpu, "base-cpu-ns/msg")
	b.ReportMetric(1e9/us.wall, "msgs/s")
	b.ReportMetric(us.wall/them.wall, "ratio")
	b.ReportMetric(us.cpu/them.cpu, "cpu-ratio")
	if t.Size >= 16<<10 {
		b.ReportMetric(float64(t.Size)/us.wall*1e3, "MB/s")
	}
	if t.FDs > 0 {
		b.ReportMetric(float64(t.FDs)*1e9/us.wall, "fds/s")
	}
}

// benchtime returns the flag -benchtime.
func benchtime() string {
	if f := flag.Lookup("test.benchtime"); f != nil {
		return f.Value.String()
	}
	return ""
}
