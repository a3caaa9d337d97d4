//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/examples/echo/echotest"
)

// BenchmarkReplacement measures the time from the SIGKILL of the only worker until its
// successor answers a client that has connected meanwhile, and beside it the time that
// the program takes until it answers by itself, without a manager.
func BenchmarkReplacement(b *testing.B) {
	var program, replacement []time.Duration
	for b.Loop() {
		begun := time.Now()
		p := start(b, "-workers", "1")
		c := p.Dial(b)
		c.Ask(b, "hello")
		program = append(program, time.Since(begun))
		c.HangUp(b)
		p.Stop(b)

		p = start(b, "-workers", "1", "-tasks", "1")
		pid := pidOf(b, p.Dial(b).Ask(b, "/pid"))
		begun = time.Now()
		if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		c = p.Dial(b)
		c.Ask(b, "hello")
		replacement = append(replacement, time.Since(begun))
		if got := pidOf(b, c.Ask(b, "/pid")); got == pid {
			b.Errorf("the worker that was killed, %d, answers", pid)
		}
		c.HangUp(b)
		p.Stop(b)
	}
	echotest.ReportTimes(b, "program", program)
	echotest.ReportTimes(b, "replacement", replacement)
	echotest.ReportTimes(b, "more", []time.Duration{echotest.Median(replacement) - echotest.Median(program)})
}

// BenchmarkReload measures reloads of idle workers, one after the other.
func BenchmarkReload(b *testing.B) {
	for _, workers := range []string{"2", "8"} {
		b.Run("workers="+workers, func(b *testing.B) {
			p := start(b, "-workers", workers)
			var times []time.Duration
			for b.Loop() {
				begun := time.Now()
				p.Signal(b, syscall.SIGHUP)
				p.Said(b, "level=INFO", "reloaded")
				times = append(times, time.Since(begun))
			}
			echotest.ReportTimes(b, "reload", times)
			p.Stop(b)
		})
	}
}

// BenchmarkMemory measures the memory of a manager and of workers that are idle: what
// is their own, and with their share of what they have in common.
func BenchmarkMemory(b *testing.B) {
	for _, workers := range []string{"2", "8"} {
		b.Run("workers="+workers, func(b *testing.B) {
			p := start(b, "-workers", workers)
			pids := settled(b, p).PIDs
			for b.Loop() {
				private, share := memory(b, int64(p.Cmd.Process.Pid))
				b.ReportMetric(private, "manager-private-KiB")
				b.ReportMetric(share, "manager-KiB")
				private, share = 0, 0
				for _, pid := range pids {
					own, all := memory(b, pid)
					private, share = max(private, own), max(share, all)
				}
				b.ReportMetric(private, "worker-private-KiB")
				b.ReportMetric(share, "worker-KiB")
			}
			p.Stop(b)
		})
	}
}

// memory returns the memory of a process, in KiB: what is its own, and that with its
// share of what others have, too. See smaps_rollup in proc(5).
func memory(b *testing.B, pid int64) (private, share float64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var name string
		var n float64
		if _, err := fmt.Sscan(line, &name, &n); err != nil {
			continue
		}
		switch name {
		case "Private_Clean:", "Private_Dirty:":
			private += n
		case "Pss:":
			share = n
		}
	}
	return private, share
}
