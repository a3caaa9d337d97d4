//go:build linux

package uds_test

import (
	"testing"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// What a goroutine did before it sent, the one that received sees. The race detector
// has to know that, too: it fails this test otherwise.
func TestMemoryOrder(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		for what, send := range map[string]func(c *uds.Conn) (int, error){
			"Send":     func(c *uds.Conn) (int, error) { return c.Send(t.Context(), []byte("x")) },
			"Sendv":    func(c *uds.Conn) (int, error) { return c.Sendv(t.Context(), []byte("x")) },
			"TrySend":  func(c *uds.Conn) (int, error) { return c.TrySend([]byte("x")) },
			"TrySendv": func(c *uds.Conn) (int, error) { return c.TrySendv([]byte("x")) },
			"SendFDs":  func(c *uds.Conn) (int, error) { return c.SendFDs(t.Context(), []byte("x"), 0) },
		} {
			a, b := pair(t, kind)
			shared := 0
			call := waiting(t, func() error {
				_, err := b.Receive(patient(t), make([]byte, 1))
				shared++
				return err
			})
			shared++
			must(t, second(send(a)))
			must(t, result(t, call))
			if shared != 2 {
				t.Errorf("%s %s: shared = %d, want 2", kind, what, shared)
			}
		}
		s, r := sockets(t, kind)
		shared := 0
		done := make(chan error, 1)
		go func() {
			for {
				_, err := r.TryReceive(make([]byte, 1))
				if err != uds.ErrEmpty {
					shared++
					done <- err
					return
				}
			}
		}()
		shared++
		must(t, second(s.TrySend([]byte("x"))))
		must(t, result(t, done))
	}
}
