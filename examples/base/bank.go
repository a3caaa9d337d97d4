//go:build linux

package main

import (
	"os"
	"sync/atomic"

	"github.com/plait-go/plait/examples/echo"
	"github.com/plait-go/plait/examples/echo/manage"
)

// Each slot has some banks of counters, which all processes see. A worker takes one
// that nobody counts in: those before it may be there still.
const (
	slotBanks = 4
	slotWords = slotBanks * echo.StatsWords
)

// A bank is where a worker counts. What is in it stays when the worker has ended.
type bank struct {
	echo.Stats
	alive *atomic.Int64 // the incarnation that counts here, or 0
	pid   *atomic.Int64 // its process
}

// banksOf returns the banks in the words of a slot.
func banksOf(words []atomic.Int64) []bank {
	all := make([]bank, slotBanks)
	for i := range all {
		own := words[i*echo.StatsWords : (i+1)*echo.StatsWords]
		all[i] = bank{Stats: echo.NewStats(own), alive: &own[echo.StatsWords-1], pid: &own[echo.StatsWords-2]}
	}
	return all
}

// enter returns where this process counts from now on. If every bank is taken nobody
// else sees what it counts.
func enter(words []atomic.Int64, incarnation int) bank {
	for _, b := range banksOf(words) {
		if b.alive.CompareAndSwap(0, int64(incarnation)) {
			b.pid.Store(int64(os.Getpid()))
			return b
		}
	}
	return bank{Stats: echo.NewStats(nil)}
}

// leave notes that a worker has ended, and its connections with it.
func leave(words []atomic.Int64, incarnation int) {
	for _, b := range banksOf(words) {
		if b.alive.Load() != int64(incarnation) {
			continue
		}
		if n := b.Accepted.Load() - b.Closed.Load(); n > 0 {
			b.Lost.Add(n)
			b.Closed.Add(n)
		}
		b.pid.Store(0)
		b.alive.Store(0)
	}
}

// report returns what all workers have counted together.
func (w *worker) report() (any, error) {
	var all []echo.Stats
	var pids []int64
	for slot := range w.Config.Workers {
		for _, b := range w.banks(manage.Workers, slot) {
			all = append(all, b.Stats)
		}
		_, pid := w.latest(manage.Workers, slot)
		pids = append(pids, pid)
	}
	r := w.Config.Report(w.started, all)
	spread := r.Spread
	r.Spread, r.PIDs = make([]int64, w.Config.Workers), pids
	for i, n := range spread {
		r.Spread[i/slotBanks] += n
	}
	return r, nil
}

// banks returns those of a slot, of which there are none if it is out of range.
func (w *worker) banks(group string, slot int) []bank {
	words, err := w.pool.Words(group, slot)
	if err != nil {
		return nil
	}
	return banksOf(words)
}

// latest returns the latest worker of a slot, and its process; zeros if there is none.
func (w *worker) latest(group string, slot int) (incarnation int, pid int64) {
	for _, b := range w.banks(group, slot) {
		if n := int(b.alive.Load()); n > incarnation {
			incarnation, pid = n, b.pid.Load()
		}
	}
	return incarnation, pid
}

// isAlive reports whether a process is still there.
func (w *worker) isAlive(group string, slot, incarnation int) bool {
	for _, b := range w.banks(group, slot) {
		if b.alive.Load() == int64(incarnation) {
			return incarnation != 0
		}
	}
	return false
}
