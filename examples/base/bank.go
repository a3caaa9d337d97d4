//go:build linux

package main

import (
	"os"
	"sync/atomic"

	"github.com/plait-go/plait/examples/echo"
)

// Each slot has two banks of counters, which all processes see: a worker and its
// successor, who are there at the same time, have one each.
const slotWords = 2 * echo.StatsWords

// A bank is where every second worker of a slot counts.
type bank struct {
	echo.Stats
	alive *atomic.Int64 // the incarnation that counts here, or 0
	pid   *atomic.Int64 // its process
}

func bankOf(words []atomic.Int64, incarnation int) bank {
	at := incarnation % 2 * echo.StatsWords
	own := words[at : at+echo.StatsWords]
	return bank{Stats: echo.NewStats(own), alive: &own[echo.StatsWords-1], pid: &own[echo.StatsWords-2]}
}

// enter notes who counts here from now on.
func (b *bank) enter(incarnation int) {
	b.pid.Store(int64(os.Getpid()))
	b.alive.Store(int64(incarnation))
}

// report returns what all workers have counted together.
func (w *worker) report() *echo.Report {
	var all []echo.Stats
	for slot := range w.Config.Workers {
		for parity := range 2 {
			all = append(all, w.bank(workers, slot, parity).Stats)
		}
	}
	r := w.Config.Report(w.started, all)
	spread := r.Spread
	r.Spread = nil
	for slot := range w.Config.Workers {
		r.Spread = append(r.Spread, spread[2*slot]+spread[2*slot+1])
		r.PIDs = append(r.PIDs, w.latest(workers, slot).pid.Load())
	}
	return r
}

// bank returns where an incarnation counts.
func (w *worker) bank(group string, slot, incarnation int) bank {
	words, err := w.pool.Words(group, slot)
	if err != nil { // the slot is out of range, and nobody is there
		return bankOf(make([]atomic.Int64, slotWords), incarnation)
	}
	return bankOf(words, incarnation)
}

// latest returns the bank of the latest worker of a slot, or one that nobody counts in.
func (w *worker) latest(group string, slot int) bank {
	a, b := w.bank(group, slot, 0), w.bank(group, slot, 1)
	if a.alive.Load() > b.alive.Load() {
		return a
	}
	return b
}

// isAlive reports whether a process is still there.
func (w *worker) isAlive(group string, slot, incarnation int) bool {
	return w.bank(group, slot, incarnation).alive.Load() == int64(incarnation)
}
