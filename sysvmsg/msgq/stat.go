//go:build linux

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"time"
)

func statCommand() command {
	return command{
		name: "stat",
		args: "QUEUE [flags]",
		does: "print what the kernel knows of a queue",
		setup: func(flags *flag.FlagSet) action {
			s := &stat{}
			s.place.flags(flags)
			flags.BoolVar(&s.json, "json", false, "print a JSON object")
			return s.run
		},
	}
}

// A stat is what the flags of the command say.
type stat struct {
	place
	json bool
}

func (s *stat) run(_ context.Context, p *program, args []string) error {
	if len(args) > 0 {
		return misused("%q is no flag", args[0])
	}
	q, err := s.open(toRead)
	if err != nil {
		return err
	}
	is, err := q.Stat()
	if err != nil {
		return err
	}
	if s.json {
		b, err := json.Marshal(newState(is))
		if err != nil {
			return err
		}
		return p.print(append(b, '\n'))
	}
	var b []byte
	for _, row := range []struct {
		name  string
		value any
	}{
		{"id", is.ID},
		{"key", is.Key},
		{"mode", fmt.Sprintf("%04o", is.Mode)},
		{"owner", fmt.Sprintf("%d:%d", is.UID, is.GID)},
		{"creator", fmt.Sprintf("%d:%d", is.CreatorUID, is.CreatorGID)},
		{"messages", is.Messages},
		{"bytes", is.Bytes},
		{"capacity", is.Capacity},
		{"last sender", is.LastSender},
		{"last receiver", is.LastReceiver},
		{"sent at", timeText(is.SentAt, time.RFC3339)},
		{"received at", timeText(is.ReceivedAt, time.RFC3339)},
		{"changed at", timeText(is.ChangedAt, time.RFC3339)},
	} {
		b = fmt.Appendf(b, "%-14s %v\n", row.name, row.value)
	}
	return p.print(b)
}
