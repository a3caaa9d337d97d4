//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

func listCommand() command {
	return command{
		name: "list",
		args: "[flags]",
		does: "list the queues of this IPC namespace",
		more: `The last columns are when a message was sent last and by which process, and when one
was received last and by which process.
`,
		setup: func(flags *flag.FlagSet) action {
			l := &list{}
			flags.BoolVar(&l.json, "json", false, "print a JSON object a line")
			return l.run
		},
	}
}

// A list is what the flags of the command say.
type list struct{ json bool }

func (l *list) run(_ context.Context, p *program, args []string) error {
	if len(args) > 0 {
		return misused("%q is no flag", args[0])
	}
	queues, err := sysvmsg.List()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if l.json {
		for _, q := range queues {
			if err := json.NewEncoder(&b).Encode(newState(q)); err != nil {
				return err
			}
		}
		return p.print(b.Bytes())
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tKEY\tMODE\tUID\tMESSAGES\tBYTES\tSENT\tBY\tRECEIVED\tBY") // a Buffer takes all
	for _, q := range queues {
		_, _ = fmt.Fprintf(w, "%d\t%v\t%04o\t%d\t%d\t%d\t%s\t%d\t%s\t%d\n", q.ID, q.Key, q.Mode, q.UID, q.Messages, q.Bytes,
			timeText(q.SentAt, time.DateTime), q.LastSender, timeText(q.ReceivedAt, time.DateTime), q.LastReceiver)
	}
	_ = w.Flush() // a Buffer takes all
	return p.print(b.Bytes())
}

// A state is a sysvmsg.Stat in JSON.
type state struct {
	ID           int        `json:"id"`
	Key          string     `json:"key"`  // hexadecimal, or private
	Mode         string     `json:"mode"` // octal
	UID          int        `json:"uid"`
	GID          int        `json:"gid"`
	CreatorUID   int        `json:"creator_uid"`
	CreatorGID   int        `json:"creator_gid"`
	Messages     int        `json:"messages"`
	Bytes        int        `json:"bytes"`
	Capacity     int        `json:"capacity,omitempty"` // bytes; not in a list
	LastSender   int        `json:"last_sender"`
	LastReceiver int        `json:"last_receiver"`
	SentAt       *time.Time `json:"sent_at"`
	ReceivedAt   *time.Time `json:"received_at"`
	ChangedAt    *time.Time `json:"changed_at"`
}

// newState translates a Stat.
func newState(s sysvmsg.Stat) state {
	return state{
		ID: s.ID, Key: s.Key.String(), Mode: fmt.Sprintf("%04o", s.Mode),
		UID: s.UID, GID: s.GID, CreatorUID: s.CreatorUID, CreatorGID: s.CreatorGID,
		Messages: s.Messages, Bytes: s.Bytes, Capacity: s.Capacity,
		LastSender: s.LastSender, LastReceiver: s.LastReceiver,
		SentAt: known(s.SentAt), ReceivedAt: known(s.ReceivedAt), ChangedAt: known(s.ChangedAt),
	}
}

// known is nil for the zero Time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
