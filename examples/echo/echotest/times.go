//go:build linux

package echotest

import (
	"slices"
	"testing"
	"time"
)

// ReportTimes reports the median of some times, and if there are many the ninetieth
// percentile.
func ReportTimes(b *testing.B, what string, times []time.Duration) {
	b.Helper()
	b.ReportMetric(Median(times).Seconds()*1e3, what+"-ms")
	if len(times) >= 10 {
		b.ReportMetric(times[len(times)*9/10].Seconds()*1e3, what+"-p90-ms")
	}
}

// Median sorts times, of which there are some.
func Median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
