//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/examples/echo/loop"
	"github.com/plait-go/plait/examples/echo/manage"
	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/uds"
)

// A letter is what processes send each other. Those that ask for something have a
// number, which comes back with the reply.
type letter struct {
	Kind   kind   `json:"kind"`
	Asked  uint64 `json:"asked,omitempty"`
	Number uint64 `json:"number,omitempty"` // of a connection
	Text   []byte `json:"text,omitempty"`
	Err    string `json:"err,omitempty"` // of a reply
}

type kind string

const (
	sendKind  kind = "send"  // write Text to the connection
	closeKind kind = "close" // close it
	tellKind  kind = "tell"  // note Text
	taskKind  kind = "task"  // carry out Text
	replyKind kind = "reply"
)

// A question is a letter that waits for its reply.
type question struct {
	to    procpool.Address // with the incarnation
	since time.Time
	done  func(text []byte, err error)
}

var (
	errGone = errors.New("the worker is not there")
	errBusy = errors.New("the worker has too many messages waiting")
	errLate = errors.New("the worker does not answer")
)

// often is how often who waits for an answer looks whether the other one is there.
// That may be in a /sleep, but no longer than patient.
const (
	often   = 50 * time.Millisecond
	patient = 90 * time.Second
)

// ask sends a letter, and calls done with the reply, or when there will be none.
func (w *worker) ask(to procpool.Address, l letter, done func(text []byte, err error)) {
	w.lastAsk++
	l.Asked = w.lastAsk
	if err := send(w.pool, to, l); err != nil {
		done(nil, err)
		return
	}
	w.asked[l.Asked] = question{to, time.Now(), done}
	if !w.looking {
		w.looking = true
		w.Loop.After(often, w.lookAfter)
	}
}

// lookAfter gives up the questions to those who have died, or do not answer.
func (w *worker) lookAfter() {
	for number, q := range w.asked {
		err := errGone
		if w.isAlive(q.to.Group, q.to.Slot, q.to.Incarnation) {
			if time.Since(q.since) < patient {
				continue
			}
			err = errLate
		}
		delete(w.asked, number)
		q.done(nil, err)
	}
	if w.looking = len(w.asked) > 0; w.looking {
		w.Loop.After(often, w.lookAfter)
	}
}

// receive passes on the letters to this process, to its loop.
func (w *worker) receive() {
	for {
		m, err := w.pool.Receive(context.Background())
		if err != nil {
			w.Log.Error("no more messages", "err", err)
			return
		}
		var l letter
		if err := json.Unmarshal(m.Payload, &l); err != nil {
			w.Log.Error("not a letter", "from", m.From, "err", err)
			continue
		}
		_ = w.Loop.Post(func() { w.read(m.From, l) }) // or it has failed
	}
}

// read does what a letter asks for.
func (w *worker) read(from procpool.Address, l letter) {
	switch l.Kind {
	case sendKind:
		w.reply(from, l, loop.Send(w.conn(l.Number), l.Number, l.Text))
	case closeKind:
		w.reply(from, l, loop.Close(w.conn(l.Number), l.Number))
	case tellKind:
		w.Hear(string(l.Text))
	case replyKind:
		q, ok := w.asked[l.Asked]
		if !ok {
			return // it was given up
		}
		delete(w.asked, l.Asked)
		if l.Err != "" {
			q.done(nil, errors.New(l.Err))
			return
		}
		q.done(l.Text, nil)
	}
}

// reply tells who has asked the outcome.
func (w *worker) reply(to procpool.Address, l letter, err error) {
	r := letter{Kind: replyKind, Asked: l.Asked}
	if err != nil {
		r.Err = err.Error()
	}
	if err := send(w.pool, to, r); err != nil {
		w.Log.Error("cannot reply", "err", err)
	}
}

// send sends a letter, and waits for nobody.
func send(from *procpool.Worker, to procpool.Address, l letter) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err = from.TrySend(to, text); errors.Is(err, uds.ErrFull) {
		return errBusy
	}
	return err
}

// tell sends text to a worker, which may be this one.
func (w *worker) tell(number int, text string) error {
	if number >= w.Config.Workers {
		return fmt.Errorf("no worker %d, want 0 to %d", number, w.Config.Workers-1)
	}
	return send(w.pool, procpool.Address{Group: manage.Workers, Slot: number}, letter{Kind: tellKind, Text: []byte(text)})
}

// send writes text to a connection, and close closes one, whoever has it.
func (w *worker) send(number uint64, text []byte, done func(error)) {
	w.reach(letter{Kind: sendKind, Number: number, Text: text}, done, func(c *epoll.Conn) error { return loop.Send(c, number, text) })
}

func (w *worker) close(number uint64, done func(error)) {
	w.reach(letter{Kind: closeKind, Number: number}, done, func(c *epoll.Conn) error { return loop.Close(c, number) })
}

// reach has the owner of a connection do what l says, which here is own.
func (w *worker) reach(l letter, done func(error), own func(*epoll.Conn) error) {
	to := owner(l.Number)
	switch {
	case to == w.pool.Address():
		done(own(w.conn(l.Number)))
	case !w.isAlive(to.Group, to.Slot, to.Incarnation):
		done(loop.NoConn(l.Number))
	default:
		w.ask(to, l, func(_ []byte, err error) {
			if errors.Is(err, errGone) {
				err = loop.NoConn(l.Number)
			}
			done(err)
		})
	}
}

// task has the next task worker carry out text.
func (w *worker) task(text string, done func(reply string, err error)) {
	to := procpool.Address{Group: manage.Tasks}
	for range w.pool.Count(manage.Tasks) { // one of them that is there
		w.lastTask = (w.lastTask + 1) % w.pool.Count(manage.Tasks)
		to.Slot = w.lastTask
		if to.Incarnation, _ = w.latest(manage.Tasks, to.Slot); to.Incarnation != 0 {
			break
		}
	}
	if to.Incarnation == 0 {
		done("", errGone)
		return
	}
	l := letter{Kind: taskKind, Text: []byte(text)}
	w.ask(to, l, func(text []byte, err error) { done(string(text), err) })
}

// task is the role of a task worker.
func task(ctx context.Context, pool *procpool.Worker) error {
	words, err := pool.Words(pool.Group(), pool.Slot())
	if err != nil {
		return err
	}
	_ = enter(words, pool.Incarnation()) // so that it is known to be there
	if err := pool.Ready(); err != nil {
		return err
	}
	return pool.Messages(ctx, func(ctx context.Context, m procpool.Message) error {
		var l letter
		if err := json.Unmarshal(m.Payload, &l); err != nil || l.Kind != taskKind {
			return nil // nobody sends that
		}
		reply := letter{Kind: replyKind, Asked: l.Asked, Text: []byte(strings.ToUpper(string(l.Text)))}
		text, err := json.Marshal(reply)
		if err != nil {
			return err
		}
		return pool.Send(ctx, m.From, text)
	})
}
