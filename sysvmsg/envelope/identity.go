//go:build linux

package envelope

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// An Identity tells a process from all others of the host since it was started,
// those included that had the same number before.
type Identity struct {
	PID   uint32 // as the process itself sees it, in its PID namespace
	Start uint32 // when it began: clock ticks since boot, modulo 2³², or 0 if unknown
}

// Self returns the Identity of this process. Start is field 22 of
// /proc/self/stat; see proc_pid_stat(5).
func Self() Identity {
	id := Identity{PID: uint32(os.Getpid())}
	if stat, err := os.ReadFile("/proc/self/stat"); err == nil {
		id.Start = startTicks(stat)
	}
	return id
}

// String returns the PID and the start, as in "4711@123456".
func (id Identity) String() string { return fmt.Sprintf("%d@%d", id.PID, id.Start) }

// startTicks finds the start in a line of /proc/PID/stat, where the second field
// is a name in parentheses that may hold spaces and parentheses itself.
func startTicks(stat []byte) uint32 {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const index = 22 - 3 // the fields are counted from 1, and two are gone
	if len(fields) <= index {
		return 0
	}
	ticks, err := strconv.ParseUint(string(fields[index]), 10, 64)
	if err != nil {
		return 0
	}
	return uint32(ticks)
}
