//go:build linux

package procpool

import (
	"context"
	"errors"
	"fmt"

	"github.com/plait-go/plait/procpool/inbox"
)

// An Address names a process of a pool. The zero Address is the manager's.
type Address struct {
	Group       string
	Slot        int
	Incarnation int // 0: whoever has the slot's inbox when the message is received
}

// String returns "web 3", "web 3.2" with an incarnation, or "manager".
func (a Address) String() string {
	switch {
	case a.Group == "":
		return "manager"
	case a.Incarnation == 0:
		return fmt.Sprintf("%s %d", a.Group, a.Slot)
	}
	return fmt.Sprintf("%s %d.%d", a.Group, a.Slot, a.Incarnation)
}

// A Message is what a process of the pool, or the manager, has sent to another one.
type Message struct {
	From    Address // with its incarnation
	Payload []byte  // valid until the next Receive
}

// Inbox 0 is the manager's, and those of the slots follow by their numbers.

// inboxOf returns where messages to an address go.
func (l layout) inboxOf(a Address) (inbox.Addr, error) {
	if a.Group == "" {
		return inbox.Addr{}, nil
	}
	number, err := l.number(a.Group, a.Slot)
	if err == nil && (a.Incarnation < 0 || a.Incarnation > 1<<31-1) {
		err = fmt.Errorf("procpool: no incarnation %d", a.Incarnation)
	}
	return inbox.Addr{Slot: uint32(number) + 1, Incarnation: uint32(a.Incarnation)}, err
}

// addressOf returns whose inbox that is. One that there is none of, which somebody
// must have made up, is group "?".
func (l layout) addressOf(a inbox.Addr) Address {
	if a.Slot == 0 {
		return Address{}
	}
	if group, slot := l.at(int(min(a.Slot, 1<<30)) - 1); group != "" {
		return Address{Group: group, Slot: slot, Incarnation: int(a.Incarnation)}
	}
	return Address{Group: "?"}
}

// A post sends and receives for one process.
type post struct {
	layout layout
	out    *inbox.Sender
	in     *inbox.Receiver
}

func (p *post) send(ctx context.Context, to Address, payload []byte) error {
	a, err := p.layout.inboxOf(to)
	if err == nil {
		err = p.out.Send(ctx, a, payload)
	}
	if err != nil {
		return fmt.Errorf("procpool: message to %v: %w", to, err)
	}
	return nil
}

func (p *post) trySend(to Address, payload []byte) error {
	a, err := p.layout.inboxOf(to)
	if err == nil {
		err = p.out.TrySend(a, payload)
	}
	if err != nil {
		return fmt.Errorf("procpool: message to %v: %w", to, err)
	}
	return nil
}

func (p *post) receive(ctx context.Context) (Message, error) {
	m, err := p.in.Receive(ctx)
	if err != nil {
		return Message{}, fmt.Errorf("procpool: %w", err)
	}
	return Message{From: p.layout.addressOf(m.From), Payload: m.Payload}, nil
}

// Send sends a message to the inbox of any process, this one included, and waits for
// room until ctx ends; then it is not delivered. It does not retain payload. What is
// in an inbox outlives the worker: its successor gets it. Messages of one sender
// arrive in order, at most once; a message that its receiver dies with is lost, and
// so may be one of more than some 200 KiB that arrives just when it is replaced.
//
// The error is the cause of ctx, one that says that there is no such address, or
// inbox.ErrTooLong for more than Options.Message bytes.
func (w *Worker) Send(ctx context.Context, to Address, payload []byte) error {
	return w.post.send(ctx, to, payload)
}

// TrySend is Send that does not wait. The error is uds.ErrFull if the inbox has no
// room, and inbox.ErrTooLong for a message that does not fit in a packet, of some
// 200 KiB.
func (w *Worker) TrySend(to Address, payload []byte) error { return w.post.trySend(to, payload) }

// Receive returns the next message to this worker, and waits for one until ctx ends.
// Once the manager has asked the worker to finish, there are only messages that are
// addressed to its incarnation: the others are its successor's. One goroutine may
// call it at a time.
func (w *Worker) Receive(ctx context.Context) (Message, error) { return w.post.receive(ctx) }

// Address returns this worker's own, with its incarnation.
func (w *Worker) Address() Address {
	return Address{Group: w.Group(), Slot: w.Slot(), Incarnation: w.Incarnation()}
}

// Messages calls handle with the messages to this worker, one after the other, and
// counts them as requests. It returns nil when ctx has ended, between two messages.
// An error of handle ends it, too.
func (w *Worker) Messages(ctx context.Context, handle func(ctx context.Context, m Message) error) error {
	for {
		m, err := w.Receive(ctx)
		if err != nil {
			if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
				return nil
			}
			return err
		}
		w.Begin()
		err = handle(context.WithoutCancel(ctx), m)
		w.End()
		if err != nil {
			return err
		}
	}
}

// Send is Worker.Send, from the manager. It may be called while Run runs, by any
// goroutine; otherwise it returns ErrNotRunning.
func (p *Pool) Send(ctx context.Context, to Address, payload []byte) error {
	post, leave, err := p.usePost()
	if err != nil {
		return err
	}
	defer leave()
	return post.send(ctx, to, payload)
}

// TrySend is Worker.TrySend, from the manager, as Send.
func (p *Pool) TrySend(to Address, payload []byte) error {
	post, leave, err := p.usePost()
	if err != nil {
		return err
	}
	defer leave()
	return post.trySend(to, payload)
}

// Receive returns the next message to the manager. It is otherwise as
// Worker.Receive, and ends with ErrNotRunning when Run returns.
func (p *Pool) Receive(ctx context.Context) (Message, error) {
	post, leave, err := p.usePost()
	if err != nil {
		return Message{}, err
	}
	defer leave()
	m, err := post.receive(ctx)
	if err != nil && ctx.Err() == nil && !p.isRunning() {
		return Message{}, ErrNotRunning
	}
	return m, err
}
