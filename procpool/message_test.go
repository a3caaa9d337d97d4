//go:build linux

package procpool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds"
)

// answer sends back what it gets: to the manager, by way of the next slot if the
// message says so.
func answer(ctx context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	return w.Messages(ctx, func(ctx context.Context, m procpool.Message) error {
		to := procpool.Address{}
		if m.From == to && len(m.Payload) > 0 && m.Payload[0] == 'n' {
			to = procpool.Address{Group: w.Group(), Slot: (w.Slot() + 1) % w.Count(w.Group())}
		}
		return w.Send(ctx, to, m.Payload)
	})
}

func TestMessages(t *testing.T) {
	r := run(t, role("answer", 3), role("serve", 1))
	for range 4 {
		r.until(procpool.Ready)
	}
	for _, n := range []int{0, 1, 1000, 64 << 10, 1 << 20, 16 << 20} {
		for slot := range 3 {
			p := bytes.Repeat([]byte{'x'}, n)
			from := procpool.Address{Group: "answer", Slot: slot, Incarnation: 1}
			if n > 0 && slot == 1 { // by way of the next one
				p[0], from.Slot = 'n', 2
			}
			sent := make(chan error, 1)
			go func() { sent <- r.Send(t.Context(), procpool.Address{Group: "answer", Slot: slot}, p) }()
			m, err := r.Receive(t.Context())
			if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(m.Payload, p) || m.From != from {
				t.Fatalf("%d bytes to slot %d: %d bytes from %v, %v", n, slot, len(m.Payload), m.From, err)
			}
		}
	}
	tooLong := make([]byte, 16<<20+1)
	for _, test := range []struct {
		to   procpool.Address
		p    []byte
		want error
		text string
	}{
		{procpool.Address{Group: "answer"}, tooLong, inbox.ErrTooLong, "limit 16777216"},
		{procpool.Address{Group: "answer", Slot: 3}, nil, nil, "no slot 3 in group answer, want 0 to 2"},
		{procpool.Address{Group: "answer", Slot: -1}, nil, nil, "no slot -1"},
		{procpool.Address{Group: "nobody"}, nil, nil, `no group "nobody"`},
	} {
		for _, err := range []error{r.Send(t.Context(), test.to, test.p), r.TrySend(test.to, test.p)} {
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !bytes.Contains([]byte(err.Error()), []byte(test.text)) {
				t.Errorf("to %v: %v, want %v, %q", test.to, err, test.want, test.text)
			}
		}
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if err := r.TrySend(procpool.Address{Group: "answer"}, nil); !errors.Is(err, procpool.ErrNotRunning) {
		t.Errorf("TrySend after Run: %v", err)
	}
	if _, err := r.Receive(t.Context()); !errors.Is(err, procpool.ErrNotRunning) {
		t.Errorf("Receive after Run: %v", err)
	}
}

// What is in an inbox outlives the worker: of numbered messages each arrives at most
// once, in order, and those that a killed worker had in hand are missing, one of them
// for each kill.
func TestInboxOutlivesItsWorker(t *testing.T) {
	const kills, each = 5, 200
	r := run(t, role("answer", 1))
	to := procpool.Address{Group: "answer"}
	r.until(procpool.Ready)
	sending := make(chan error, 1)
	go func() {
		for i := range uint32(kills * each) {
			if err := r.Send(t.Context(), to, binary.BigEndian.AppendUint32(nil, i)); err != nil {
				sending <- err
				return
			}
		}
		sending <- r.Send(t.Context(), to, binary.BigEndian.AppendUint32(nil, kills*each))
	}()
	next, missing, killed := uint32(0), 0, 0
	for next <= kills*each {
		m, err := r.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := binary.BigEndian.Uint32(m.Payload)
		if i < next {
			t.Fatalf("message %d behind %d", i, next-1)
		}
		missing += int(i - next)
		if next = i + 1; int(i)/each > killed {
			killed++
			if st := r.Status()[0]; st.PID != 0 {
				r.kill(st.PID)
			}
		}
	}
	if err := <-sending; err != nil {
		t.Error(err)
	}
	if missing > killed {
		t.Errorf("%d messages are missing after %d kills", missing, killed)
	}
	t.Logf("%d kills, %d missing", killed, missing)
}

// part answers, and leaves its group before, if it is the first one of its slot.
func part(ctx context.Context, w *procpool.Worker) error {
	if w.Detach() == nil {
		return errors.New("a worker has left its group before it was in it")
	}
	if err := w.Ready(); err != nil {
		return err
	}
	if w.Incarnation() == 1 {
		if err := w.Detach(); err != nil {
			return err
		}
	}
	return w.Messages(ctx, func(ctx context.Context, m procpool.Message) error {
		return w.Send(ctx, m.From, m.Payload)
	})
}

// Who has left its group gets only what is addressed to itself.
func TestMessagesOfTheDetached(t *testing.T) {
	r := run(t, role("part", 1))
	for range 2 {
		r.until(procpool.Ready)
	}
	for i := range 200 {
		to, want := procpool.Address{Group: "part"}, 2
		if i%4 == 0 {
			to.Incarnation, want = 1, 1
		}
		if err := r.Send(t.Context(), to, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		m, err := r.Receive(t.Context())
		if err != nil || string(m.Payload) != fmt.Sprint(i) || m.From.Incarnation != want {
			t.Fatalf("%q from %v, %v; want %d from %d", m.Payload, m.From, err, i, want)
		}
	}
}

// Nobody waits for an inbox that is full, unless they want to.
func TestFullInbox(t *testing.T) {
	r := run(t, role("serve", 1))
	r.until(procpool.Ready)
	to := procpool.Address{Group: "serve"}
	n := 0
	for ; ; n++ {
		if err := r.TrySend(to, make([]byte, 1000)); errors.Is(err, uds.ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := fmt.Errorf("after %d messages", n)
	cancel(cause)
	if err := r.Send(ctx, to, nil); !errors.Is(err, cause) {
		t.Errorf("Send: %v, want %v", err, cause)
	}
	if err := r.Reload(t.Context()); err != nil { // the control channel is another one
		t.Errorf("Reload: %v", err)
	}
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
}
