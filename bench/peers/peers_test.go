//go:build linux

package peers_test

import (
	"errors"
	"testing"

	"github.com/plait-go/plait/bench/load"
)

// TestMain is the whole run of a process that was started as a server.
func TestMain(m *testing.M) {
	if !load.Child(servers()) {
		m.Run()
	}
}

// names are the servers that are measured; the last one is what the others are
// related to.
func names() []string { return []string{"std", "netpoll", "gnet", "nbio", "ours", "floor"} }

// TestServersAnswer keeps a peer from being measured at what it does not do.
func TestServersAnswer(t *testing.T) {
	for _, name := range names() {
		t.Run(name, func(t *testing.T) {
			if err := answers(name, load.Load{Conns: 8, Size: 16 << 10, Pipeline: 4}); err != nil {
				t.Error(err)
			}
		})
	}
}

func answers(name string, l load.Load) (err error) {
	p, err := load.Start(name, "tcp")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := load.Dial(p, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return errors.Join(c.Warm(), c.Begin(), c.Next(), c.Finish())
}

// BenchmarkPeers relates what servers take for a request to the floor.
func BenchmarkPeers(b *testing.B) {
	const loads = "1:64:1 64:64:1 64:64:16 64:1024:1 64:1024:16 64:16384:1 1000:64:1"
	load.Ratios(b, "tcp", loads, names()...)
}

// BenchmarkPeersIdle measures the memory of connections that do nothing.
func BenchmarkPeersIdle(b *testing.B) {
	for _, name := range names() {
		b.Run("server="+name+"/conns=5000", func(b *testing.B) { load.Idle(b, name, 5000) })
	}
}
