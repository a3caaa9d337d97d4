//go:build linux

package load

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// leastRounds is how often each server is measured where -benchtime is a time.
const leastRounds = 7

// Ratios is a benchmark of servers in turn: of how much processor time each takes
// for a request in relation to the last one of them, load by load and then the
// geometric mean. Loads are connections:size:pipeline, separated by spaces.
//
// A server is started anew for each measurement. Of a server's measurements of a
// load the smallest counts, for what disturbs it only adds to it. With a
// -benchtime of a time there are 7 rounds, in each of which each server is measured
// for a third of that; with one of N times, N rounds of a tenth of a second.
func Ratios(b *testing.B, network, loads string, servers ...string) {
	b.Helper()
	var table [][]float64 // microseconds by load and server
	for _, l := range parse(b, loads) {
		var row []float64
		b.Run("load="+l.String(), func(b *testing.B) {
			room(b, l.Conns+l.Idle)
			row = compare(b, network, l, servers)
			b.ReportMetric(0, "ns/op") // all of them together: of no use
			for i, s := range servers {
				b.ReportMetric(row[i], s+"-µs/req")
				report(b, s, servers, row[i]/row[len(row)-1])
			}
		})
		if row != nil {
			table = append(table, row)
		}
	}
	if len(table) == 0 {
		return
	}
	b.Run("geomean", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		for i, s := range servers {
			report(b, s, servers, geomean(table, i))
		}
	})
}

func report(b *testing.B, server string, servers []string, ratio float64) {
	b.Helper()
	if base := servers[len(servers)-1]; server != base {
		b.ReportMetric(ratio, server+"/"+base)
	}
}

// geomean returns the geometric mean of the ratios of a column to the last one.
func geomean(table [][]float64, column int) float64 {
	sum := 0.0
	for _, row := range table {
		sum += math.Log(row[column] / row[len(row)-1])
	}
	return math.Exp(sum / float64(len(table)))
}

// compare returns the microseconds that each server takes for a request.
func compare(b *testing.B, network string, l Load, servers []string) []float64 {
	b.Helper()
	rounds, slice := b.N, time.Second/10
	if d, err := time.ParseDuration(benchtime()); err == nil {
		rounds, slice = leastRounds, d/3
	}
	least := make([]float64, len(servers))
	for round := range rounds {
		for i := range servers {
			i = (i + round) % len(servers) // so that none always comes behind the same
			t, err := measure(servers[i], network, l, slice)
			if err != nil {
				b.Fatalf("%s: %v", servers[i], err)
			}
			if round == 0 || t < least[i] {
				least[i] = t
			}
		}
	}
	return least
}

// benchtime returns the flag -benchtime.
func benchtime() string {
	if f := flag.Lookup("test.benchtime"); f != nil {
		return f.Value.String()
	}
	return ""
}

// measure starts a server, gives it load for a time, and returns the microseconds
// that it took for a request.
func measure(server, network string, l Load, d time.Duration) (t float64, err error) {
	p, err := Start(server, network)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := Dial(p, l)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := c.Warm(); err != nil {
		return 0, err
	}
	if _, err := c.Run(d / 4); err != nil {
		return 0, err
	}
	before, err := p.CPU()
	if err != nil {
		return 0, err
	}
	n, err := c.Run(d)
	if err != nil {
		return 0, err
	}
	after, err := p.CPU()
	if err != nil {
		return 0, err
	}
	return micros(after-before) / float64(n), nil
}

func parse(b *testing.B, loads string) []Load {
	b.Helper()
	var list []Load
	for s := range strings.FieldsSeq(loads) {
		var l Load
		if _, err := fmt.Sscanf(s, "%d:%d:%d", &l.Conns, &l.Size, &l.Pipeline); err != nil {
			b.Fatalf("load %q: %v", s, err)
		}
		list = append(list, l)
	}
	return list
}
