//go:build linux

package load

import "testing"

// Idle is a benchmark of the memory that a server on TCP takes for conns
// connections, each of which has had one request of 64 bytes answered. An
// operation is a look at the heap.
func Idle(b *testing.B, server string, conns int) {
	b.Helper()
	room(b, conns)
	p := launch(b, server, "tcp")
	bytes, objects, pss := weigh(b, p)
	c, err := Dial(p, Load{Conns: conns, Size: 64, Pipeline: 1})
	if err != nil {
		b.Fatal(err)
	}
	closing(b, c)
	if err := c.Warm(); err != nil {
		b.Fatal(err)
	}
	var bytesNow, objectsNow, pssNow float64
	for b.Loop() {
		bytesNow, objectsNow, pssNow = weigh(b, p)
	}
	n := float64(conns)
	b.ReportMetric((bytesNow-bytes)/n, "B/conn")
	b.ReportMetric((objectsNow-objects)/n, "objects/conn")
	b.ReportMetric((pssNow-pss)/n, "PSS-B/conn")
}

func weigh(b *testing.B, p *Process) (bytes, objects, pss float64) {
	b.Helper()
	x, y, err := p.Heap()
	if err != nil {
		b.Fatal(err)
	}
	z, err := p.PSS()
	if err != nil {
		b.Fatal(err)
	}
	return float64(x), float64(y), float64(z)
}
