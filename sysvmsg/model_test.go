//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// A model is what a queue should be.
type model struct {
	messages []message
	capacity int
	removed  bool
}

type message struct {
	t    sysvmsg.Type
	text string
}

func (m *model) bytes() int {
	n := 0
	for _, x := range m.messages {
		n += len(x.text)
	}
	return n
}

// send returns the error of TrySend.
func (m *model) send(t sysvmsg.Type, text string) error {
	switch {
	case t < 1:
		return unix.EINVAL
	case m.removed:
		return sysvmsg.ErrRemoved
	case m.bytes()+len(text) <= m.capacity && len(m.messages) < m.capacity:
		m.messages = append(m.messages, message{t, text})
		return nil
	case len(text) > m.capacity:
		return sysvmsg.ErrTooLarge
	}
	return sysvmsg.ErrFull
}

// A choice is a Selector, in words of the test.
type choice struct {
	rule string
	t    sysvmsg.Type
}

func (c choice) selector() sysvmsg.Selector {
	switch c.rule {
	case "exact":
		return sysvmsg.Exact(c.t)
	case "lowest":
		return sysvmsg.Lowest(c.t)
	case "except":
		return sysvmsg.Except(c.t)
	}
	return sysvmsg.Any()
}

// find returns the index of the message that c selects, or -1.
func (m *model) find(c choice) int {
	switch c.rule {
	case "exact":
		return slices.IndexFunc(m.messages, func(x message) bool { return x.t == c.t })
	case "except":
		return slices.IndexFunc(m.messages, func(x message) bool { return x.t != c.t })
	case "lowest":
		best := -1
		for i, x := range m.messages {
			if x.t <= c.t && (best < 0 || x.t < m.messages[best].t) {
				best = i
			}
		}
		return best
	}
	return min(0, len(m.messages)-1)
}

// receive returns what TryReceive into a buffer of that size does; size -1 is that of
// Discard, which has room for any.
func (m *model) receive(c choice, size int) (message, error) {
	if c.rule != "any" && c.t < 1 {
		return message{}, unix.EINVAL
	}
	if m.removed {
		return message{}, sysvmsg.ErrRemoved
	}
	i := m.find(c)
	if i < 0 {
		return message{}, sysvmsg.ErrEmpty
	}
	x := m.messages[i]
	if size >= 0 && len(x.text) > size {
		return message{}, io.ErrShortBuffer
	}
	m.messages = slices.Delete(m.messages, i, i+1)
	return x, nil
}

// peek returns what Peek does.
func (m *model) peek(index, size int) (message, error) {
	switch {
	case m.removed:
		return message{}, sysvmsg.ErrRemoved
	case index >= len(m.messages):
		return message{}, sysvmsg.ErrEmpty
	case len(m.messages[index].text) > size:
		return message{}, io.ErrShortBuffer
	}
	return m.messages[index], nil
}

// An op is one call, by its name.
type op struct {
	verb   string
	choice choice
	n      int // a size, an index, or a capacity
}

func (o op) String() string {
	return fmt.Sprintf("%s(%s %d, %d)", o.verb, o.choice.rule, o.choice.t, o.n)
}

// do makes the call on a queue and on the model, and returns how they differ.
func (o op) do(ctx context.Context, q *sysvmsg.Queue, m *model, serial int) error {
	buf := make([]byte, max(o.n, 0))
	var n int
	var got, want message
	var err, wantErr error
	switch o.verb {
	case "send":
		text := fmt.Sprintf("%*d", o.n, serial)
		wantErr = m.send(o.choice.t, text)
		if errors.Is(wantErr, sysvmsg.ErrFull) {
			err = q.TrySend(o.choice.t, []byte(text)) // Send would wait
		} else {
			err = q.Send(ctx, o.choice.t, []byte(text))
		}
	case "try send":
		text := fmt.Sprintf("%*d", o.n, serial)
		err, wantErr = q.TrySend(o.choice.t, []byte(text)), m.send(o.choice.t, text)
	case "receive":
		want, wantErr = m.receive(o.choice, len(buf))
		if errors.Is(wantErr, sysvmsg.ErrEmpty) {
			n, got.t, err = q.TryReceive(o.choice.selector(), buf) // Receive would wait
		} else {
			n, got.t, err = q.Receive(ctx, o.choice.selector(), buf)
		}
	case "try receive":
		want, wantErr = m.receive(o.choice, len(buf))
		n, got.t, err = q.TryReceive(o.choice.selector(), buf)
	case "discard":
		want, wantErr = m.receive(o.choice, -1)
		want.text = ""
		got.t, err = q.Discard(o.choice.selector())
	case "peek":
		buf = make([]byte, 300)
		want, wantErr = m.peek(o.n%10, len(buf))
		n, got.t, err = q.Peek(o.n%10, buf)
	default:
		return o.manage(q, m)
	}
	got.text = string(buf[:n])
	if got != want || !same(err, wantErr) {
		return differ("%v = %v, %v; want %v, %v", o, got, err, want, wantErr)
	}
	return m.compare(q)
}

// manage is do for what is not about a message.
func (o op) manage(q *sysvmsg.Queue, m *model) error {
	var err, want error
	if m.removed {
		want = sysvmsg.ErrRemoved
	}
	switch o.verb {
	case "capacity":
		err = q.SetCapacity(max(o.n, 1))
		m.capacity = max(o.n, 1)
	case "permissions":
		err = q.SetPermissions(0o600, -1, -1)
	case "remove":
		err = q.Remove()
		m.removed = true
	}
	if !same(err, want) {
		return differ("%v = %v; want %v", o, err, want)
	}
	return m.compare(q)
}

// compare returns an error unless Stat says of q what m has.
func (m *model) compare(q *sysvmsg.Queue) error {
	s, err := q.Stat()
	if m.removed {
		if !errors.Is(err, sysvmsg.ErrRemoved) {
			return differ("Stat = %v; want %v", err, sysvmsg.ErrRemoved)
		}
		return nil
	}
	if err != nil || s.Messages != len(m.messages) || s.Bytes != m.bytes() || s.Capacity != m.capacity {
		return differ("Stat = %+v, %v; want %d messages, %d bytes, capacity %d", s, err, len(m.messages), m.bytes(), m.capacity)
	}
	return nil
}

// same reports whether err is want, nil for nil.
func same(err, want error) bool {
	return want == nil && err == nil || want != nil && errors.Is(err, want)
}

// A differError says how two things differ. It is neither of them.
type differError string

func (e differError) Error() string { return string(e) }

func differ(format string, a ...any) error { return differError(fmt.Sprintf(format, a...)) }
