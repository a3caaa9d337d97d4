//go:build linux

package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
	"github.com/plait-go/plait/uds/leaktest"
)

// An item is a message of the model.
type item struct {
	t    sysvmsg.Type
	text string // of the payload, or of all that is not in order
	good bool
}

// A model is a Consumer, its queue and its Quarantine, which knows no bytes.
type model struct {
	queue []item
	aside []item
	held  *item
	given *item
	fails bool
}

// flush puts away what is held, and reports whether there is nothing held.
func (m *model) flush() bool {
	if m.held != nil && !m.fails {
		m.aside = append(m.aside, *m.held)
		m.held = nil
	}
	return m.held == nil
}

// receive is TryReceive; nil if there is an error.
func (m *model) receive(match func(sysvmsg.Type) bool) *item {
	m.given = nil
	for m.flush() {
		i := slices.IndexFunc(m.queue, func(x item) bool { return match(x.t) })
		if i < 0 {
			return nil
		}
		x := m.queue[i]
		m.queue = slices.Delete(m.queue, i, i+1)
		if x.good {
			m.given = &x
			return &x
		}
		m.held = &x
	}
	return nil
}

// A rig is the model beside the real thing.
type rig struct {
	model
	ctx   context.Context
	q     *sysvmsg.Queue
	p     *envelope.Producer
	c     *envelope.Consumer
	store memory
	n     int // messages sent
}

// step does one thing in both worlds, and says where they differ.
func (r *rig) step(op byte) string {
	t := sysvmsg.Type(op>>4%3 + 1)
	switch op % 8 {
	case 0, 1, 2:
		r.n++
		x := item{t, fmt.Sprintf("good %d", r.n), true}
		r.queue = append(r.queue, x)
		return complaint("send", r.p.TrySend(t, []byte(x.text)), nil)
	case 3:
		r.n++
		x := item{t, fmt.Sprintf("dirt %d", r.n), false}
		r.queue = append(r.queue, x)
		return complaint("send dirt", r.q.TrySend(t, []byte(x.text)), nil)
	case 4:
		return r.receive(sysvmsg.Any(), func(sysvmsg.Type) bool { return true })
	case 5:
		return r.receive(sysvmsg.Exact(t), func(x sysvmsg.Type) bool { return x == t })
	case 6:
		return r.reject()
	}
	r.fails = !r.fails
	r.store.err = nil
	if r.fails {
		r.store.err = fs.ErrPermission
	}
	return ""
}

func (r *rig) receive(s sysvmsg.Selector, match func(sysvmsg.Type) bool) string {
	want := r.model.receive(match)
	m, err := r.c.TryReceive(s)
	switch {
	case want != nil && (err != nil || m.Type != want.t || string(m.Payload) != want.text):
		return fmt.Sprintf("receive %v: %q of type %d, %v; want %+v", s, m.Payload, m.Type, err, *want)
	case want != nil:
		return ""
	case r.held != nil:
		return complaint("receive", err, fs.ErrPermission)
	}
	return complaint("receive", err, sysvmsg.ErrEmpty)
}

func (r *rig) reject() string {
	err := r.c.Reject(r.ctx, errors.New("of no use"))
	if r.given == nil {
		return complaint("reject", err, fs.ErrInvalid)
	}
	r.held, r.given = r.given, nil
	if !r.flush() {
		return complaint("reject", err, fs.ErrPermission)
	}
	return complaint("reject", err, nil)
}

// compare says where the two worlds differ.
func (r *rig) compare() string {
	s, err := r.q.Stat()
	if err != nil || s.Messages != len(r.queue) {
		return fmt.Sprintf("%d messages in the queue, %v; want %d", s.Messages, err, len(r.queue))
	}
	if t, p, reason := r.c.Held(); (reason != nil) != (r.held != nil) || reason != nil && (t != r.held.t || !bytes.HasSuffix(p, []byte(r.held.text))) {
		return fmt.Sprintf("held: %q, %v; want %+v", p, reason, r.held)
	}
	if len(r.store.kept) != len(r.aside) {
		return fmt.Sprintf("in quarantine: %+v; want %+v", r.store.kept, r.aside)
	}
	for i, x := range r.aside {
		if k := r.store.kept[i]; k.t != x.t || !bytes.HasSuffix([]byte(k.p), []byte(x.text)) {
			return fmt.Sprintf("in quarantine: %+v; want %+v", k, x)
		}
	}
	return ""
}

// complaint is not empty if err is not what is wanted.
func complaint(what string, err, want error) string {
	if errors.Is(err, want) {
		return ""
	}
	return fmt.Sprintf("%s: %v; want %v", what, err, want)
}

// Every message is in one place: the queue, with the caller, held, or in quarantine.
func TestConsumerIsAsTheModel(t *testing.T) {
	leaktest.Check(t)
	properties := gopter.NewProperties(nil)
	properties.Property("any sequence of calls", prop.ForAll(func(ops []byte) (string, error) {
		q, err := sysvmsg.Open(sysvmsg.Private, nil)
		if err != nil {
			return "", err
		}
		r := &rig{ctx: t.Context(), q: q, p: envelope.NewProducer(q, 0)}
		r.c = consumer(t, q, &r.store, nil)
		diff := ""
		for i, op := range ops {
			if diff = r.step(op) + r.compare(); diff != "" {
				diff = fmt.Sprintf("step %d, %#02x: %s", i, op, diff)
				break
			}
		}
		return diff, q.Remove()
	}, gen.SliceOf(gen.UInt8())))
	properties.TestingRun(t)
}
