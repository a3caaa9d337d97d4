//go:build linux

package ipc

import (
	"context"
	"os"

	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds"
)

// inboxes are the ways of the messages between the processes of a pool.
func inboxes() map[string]opener {
	return map[string]opener{"inbox": openInbox}
}

// A mailbox is the inbox of one process, and the way to that of the other one.
type mailbox struct {
	post func(p []byte) error
	wait func() (inbox.Message, error)
}

func openInbox(ctx context.Context, t Task, f *os.File) (end, error) {
	c, err := conn(t, f)
	if err != nil {
		return nil, err
	}
	slot := inbox.Addr{Slot: 0} // that of either, as the other one sees it
	out := inbox.NewSender(slot, []*uds.Conn{c}, 0)
	in := inbox.NewReceiver(slot, inbox.Ends{Main: c}, 0)
	return &mailbox{
		post: func(p []byte) error { return out.Send(ctx, slot, p) },
		wait: func() (inbox.Message, error) { return in.Receive(ctx) },
	}, nil
}

func (m *mailbox) room(size int) []byte { return make([]byte, size) }

func (m *mailbox) flush() error { return nil }

func (m *mailbox) send(p []byte) error { return m.post(p) }

func (m *mailbox) receive() ([]byte, error) {
	got, err := m.wait()
	return got.Payload, err
}
