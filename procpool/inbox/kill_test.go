//go:build linux

package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the children
	userprocess.Main(userprocess.Roles{"send": send, "receive": receive})
	m.Run()
}

// long is the length of a message of several packets.
const long = 1 << 20

// send sends long messages to an inbox until it is killed.
func send(ctx context.Context, c *userprocess.Child) error {
	write, err := c.Conn("inbox")
	if err != nil {
		return err
	}
	s := inbox.NewSender(inbox.Addr{Slot: 1, Incarnation: 1}, []*uds.Conn{write}, 0)
	for {
		if err := s.Send(ctx, inbox.Addr{}, text(long)); err != nil {
			return err
		}
	}
}

// receive receives messages, and writes a byte to its pipe for each.
func receive(ctx context.Context, c *userprocess.Child) error {
	read, err := c.Conn("inbox")
	if err != nil {
		return err
	}
	pipe, err := c.Pipe()
	if err != nil {
		return err
	}
	r := inbox.NewReceiver(inbox.Addr{Incarnation: 1}, inbox.Ends{Main: read}, 0)
	for {
		if _, err := r.Receive(ctx); err != nil {
			return err
		}
		if _, err := pipe.Send(ctx, []byte{1}); err != nil {
			return err
		}
	}
}

func start(t *testing.T, role string, end *uds.Conn) *userprocess.Process {
	t.Helper()
	command := &userprocess.Command{Role: role, Pipe: uds.SeqPacket, Files: map[string]syscall.Conn{"inbox": end}}
	p, err := command.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func kill(t *testing.T, p *userprocess.Process) {
	t.Helper()
	if err := p.Signal(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// Senders are killed while they wait for room, with the half of a message sent: that
// never comes, and all the others are whole.
func TestKilledSenders(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	r, own := b.receiver(t, 1), b.sender(2)
	const kills = 10
	for i := range kills {
		p := start(t, "send", b.write)
		for range 2 {
			if m, err := r.Receive(t.Context()); err != nil || m.From.Slot == 1 && !bytes.Equal(m.Payload, text(long)) {
				t.Fatalf("%d bytes from %v, %v", len(m.Payload), m.From, err)
			}
		}
		for { // until the sender waits, or might
			if err := own.TrySend(inbox.Addr{}, text(60_000)); errors.Is(err, uds.ErrFull) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		kill(t, p)
		sent := make(chan error, 1)
		go func() { sent <- own.Send(t.Context(), inbox.Addr{}, []byte{byte(i)}) }()
		for {
			m, err := r.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.From.Slot == 2 && len(m.Payload) == 1 {
				break
			}
			if m.From.Slot == 1 && !bytes.Equal(m.Payload, text(long)) || m.From.Slot == 2 && !bytes.Equal(m.Payload, text(60_000)) {
				t.Fatalf("%d bytes from %v", len(m.Payload), m.From)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	s := r.Stats()
	if s.Chunks.Incomplete == 0 || s.Chunks.Incomplete > kills || s.Malformed+s.Stale+s.Chunks.Malformed != 0 {
		t.Errorf("%+v, want up to %d messages that are incomplete", s, kills)
	}
}

// Receivers are killed while a message of several packets comes: the next one drops
// the rest of it, and goes on with the next message.
func TestKilledReceivers(t *testing.T) {
	leaktest.Check(t)
	b := newBox(t)
	const kills = 10
	writer := start(t, "send", b.write)
	defer kill(t, writer)
	for i := range kills {
		p := start(t, "receive", b.read)
		for range 1 + i%3 {
			if _, err := p.Pipe().Receive(t.Context(), make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		kill(t, p)
	}
	r := b.receiver(t, 1)
	for range 3 {
		if m, err := r.Receive(t.Context()); err != nil || !bytes.Equal(m.Payload, text(long)) {
			t.Fatalf("%d bytes, %v", len(m.Payload), err)
		}
	}
	s := r.Stats()
	if s.Malformed+s.Stale+s.Chunks.Malformed != 0 || s.Messages != 3 {
		t.Errorf("%+v", s)
	}
}
