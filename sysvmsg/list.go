//go:build linux

package sysvmsg

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// table is where the kernel lists the queues of the IPC namespace.
const table = "/proc/sysvipc/msg"

// List returns all queues of the IPC namespace, whoever may use them, by reading
// /proc/sysvipc/msg. It is no snapshot: of queues that are created or removed
// meanwhile it may know. Capacity is 0, since the file does not tell it; [Queue.Stat]
// does.
func List() ([]Stat, error) {
	text, err := os.ReadFile(table)
	if err != nil {
		return nil, fmt.Errorf("sysvmsg: list: %w", err)
	}
	return parseTable(string(text))
}

// parseTable parses the text of the table: a line of titles, and a line a queue.
func parseTable(text string) ([]Stat, error) {
	_, rows, _ := strings.Cut(text, "\n")
	var queues []Stat
	number := 1
	for line := range strings.Lines(rows) {
		number++
		s, err := parseRow(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("sysvmsg: list: %s, line %d: %w", table, number, err)
		}
		queues = append(queues, s)
	}
	return queues, nil
}

// parseRow parses
//
//	key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime rtime ctime
//
// and whatever later kernels add.
func parseRow(fields []string) (Stat, error) {
	const columns = 14
	if len(fields) < columns {
		return Stat{}, fmt.Errorf("%d columns, want %d", len(fields), columns)
	}
	var n [columns]int64
	for i := range n {
		base := 10
		if i == 2 {
			base = 8
		}
		var err error
		if n[i], err = strconv.ParseInt(fields[i], base, 64); err != nil {
			return Stat{}, err
		}
	}
	return Stat{
		Key:          Key(n[0]),
		ID:           int(n[1]),
		Mode:         fs.FileMode(n[2]) & fs.ModePerm,
		Bytes:        int(n[3]),
		Messages:     int(n[4]),
		LastSender:   int(n[5]),
		LastReceiver: int(n[6]),
		UID:          int(n[7]),
		GID:          int(n[8]),
		CreatorUID:   int(n[9]),
		CreatorGID:   int(n[10]),
		SentAt:       unixTime(n[11]),
		ReceivedAt:   unixTime(n[12]),
		ChangedAt:    unixTime(n[13]),
	}, nil
}
