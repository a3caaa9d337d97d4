//go:build linux

package main

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// BenchmarkKill measures the time from the SIGKILL of the worker of a connection until
// the next answer on it: by its successor, and by another one.
func BenchmarkKill(b *testing.B) {
	for _, policy := range []string{"conn", "first-idle"} {
		b.Run("dispatch="+policy, func(b *testing.B) {
			var times []time.Duration
			for b.Loop() {
				p := start(b, "-workers", "2", "-dispatch", policy)
				c := p.Dial(b)
				before := c.Ask(b, "/pid")
				pid, err := strconv.Atoi(before)
				if err != nil {
					b.Fatal(err)
				}
				begun := time.Now()
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					b.Fatal(err)
				}
				c.Ask(b, "hello")
				times = append(times, time.Since(begun))
				if after := c.Ask(b, "/pid"); after == before {
					b.Errorf("the worker that was killed, %s, answers", after)
				}
				c.HangUp(b)
				p.Stop(b)
			}
			echotest.ReportTimes(b, "answer", times)
		})
	}
}
