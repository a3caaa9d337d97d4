package bench_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkRatio measures ours against a base, pass by pass in turn.
func BenchmarkRatio(b *testing.B) {
	for _, f := range formats(b) {
		for _, size := range sizes() {
			s := f.stream(size)
			base := scan(scannerSplit(f), s)
			name := func(way, base string) string {
				return fmt.Sprintf("codec=%s/size=%d/way=%s/base=%s", f.name, size, way, base)
			}
			b.Run(name("push", "Scanner"), func(b *testing.B) { against(b, size, push(f.codec, s), base) })
			b.Run(name("pull", "Scanner"), func(b *testing.B) { against(b, size, pull(f.codec, s), base) })
			if f.name == "N" {
				continue
			}
			b.Run(name("push", "IndexByte"), func(b *testing.B) { against(b, size, push(f.codec, s), indexByte(s)) })
			b.Run(name("push", "Bytewise"), func(b *testing.B) { against(b, size, push(f.codec, s), bytewise(s)) })
		}
	}
}

// against reports the ratio of what ours takes to what base takes.
func against(b *testing.B, size int, ours, base way) {
	b.Helper()
	frames := streamSize / size
	var us, them []time.Duration
	var ratios []float64
	for b.Loop() {
		t0 := time.Now()
		pass(b, ours, frames)
		t1 := time.Now()
		pass(b, base, frames)
		t2 := time.Now()
		us, them = append(us, t1.Sub(t0)), append(them, t2.Sub(t1))
		ratios = append(ratios, float64(t1.Sub(t0))/float64(t2.Sub(t1)))
	}
	slices.Sort(us)
	slices.Sort(them)
	slices.Sort(ratios)
	perFrame := func(d []time.Duration) float64 { return float64(d[len(d)/2].Nanoseconds()) / float64(frames) }
	b.ReportMetric(0, "ns/op") // two ways together: of no use
	b.ReportMetric(perFrame(us), "ns/frame")
	b.ReportMetric(perFrame(them), "base-ns/frame")
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(ratios[len(ratios)/10], "ratio-p10")
	b.ReportMetric(ratios[len(ratios)*9/10], "ratio-p90")
}
