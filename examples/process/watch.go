//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
)

// watchers is the name of the group of the process that watches, and its role.
const watchers = "watch"

// The words that all processes of the pool share: the first one of each worker's slot
// is its process, and the others are those of the slot of the process that watches.
const (
	wordPID    = iota // of the latest worker
	wordRounds        // how often was looked
	wordAlive         // how many workers were there
	wordMemory        // how much memory they had, in bytes
	slotWords
)

// often is how often the process that watches looks.
const often = 250 * time.Millisecond

// watch is the role of a process that looks after the workers, again and again.
func watch(ctx context.Context, pool *procpool.Worker) error {
	own, err := pool.Words(watchers, pool.Slot())
	if err != nil {
		return err
	}
	if err := pool.Ready(); err != nil {
		return err
	}
	own[wordPID].Store(int64(os.Getpid()))
	for next := time.NewTicker(often); ; {
		alive, memory := int64(0), int64(0)
		for slot := range pool.Count(manage.Workers) {
			words, err := pool.Words(manage.Workers, slot)
			if err != nil {
				return err
			}
			if n := resident(words[wordPID].Load()); n > 0 {
				alive++
				memory += n
			}
		}
		own[wordAlive].Store(alive)
		own[wordMemory].Store(memory)
		own[wordRounds].Add(1)
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		}
	}
}

// resident returns the memory of a process, in bytes, or 0 if there is none. See
// /proc/pid/statm in proc(5).
func resident(pid int64) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
