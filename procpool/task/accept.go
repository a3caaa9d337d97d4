//go:build linux

package task

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// What a worker calls for: tags of calls.
const (
	callDo     = iota + 1 // the return is the reply
	callSubmit            // the return is the number of the task
)

// A submitter is a group whose workers submit tasks.
type submitter struct {
	*Queue
	workers *dispatch.Dispatcher
	flows   map[int]*dispatch.Flow // of outcomes that a slot is to be told, by its number
}

// Accept has the workers of a group submit tasks, by a Client. It is called before the
// pool runs.
func (q *Queue) Accept(pool *procpool.Pool, group string) error {
	s := &submitter{Queue: q, flows: make(map[int]*dispatch.Flow)}
	var err error
	s.workers, err = pool.Dispatcher(group, laneName(q.o.Name), q.rounds, &dispatch.Options{
		Policy: dispatch.Custom(func(f *dispatch.Flow, _ []byte) int { return f.State.(int) }),
		Max:    q.o.Max + 1, QueueBytes: q.o.QueueBytes,
		Called: s.called, Answered: s.told,
		Full: func(*dispatch.Flow) {}, // called asks
	})
	return err
}

// laneName returns the name of the lanes of submitters.
func laneName(name string) string { return "task:" + name }

// called takes a call of a worker.
func (s *submitter) called(c *dispatch.Call) {
	var err error
	switch c.Tag {
	case callDo:
		err = s.take(c.Payload, func(r Result) {
			if r.Err != nil {
				c.Refuse(refusal(r.Err))
			} else {
				c.Return(r.Reply)
			}
		})
	case callSubmit:
		err = s.submitted(c)
	default:
		err = fmt.Errorf("task: call %d is none", c.Tag)
	}
	if err != nil {
		c.Refuse(refusal(err))
	}
}

// submitted takes a task whose outcome a slot is to be told.
func (s *submitter) submitted(c *dispatch.Call) error {
	f := s.flows[c.Slot]
	if f == nil {
		f = s.workers.Open(0, 0, c.Slot)
		s.flows[c.Slot] = f
	}
	if f.Full() {
		return dispatch.ErrFull
	}
	number := s.next
	err := s.take(c.Payload, func(r Result) { s.tell(f, number, r) })
	if err == nil {
		c.Return(binary.LittleEndian.AppendUint64(nil, number))
	}
	return err
}

// tell tells a slot what a task has come to: its number, a code and the reply, or the
// text of the error.
func (s *submitter) tell(f *dispatch.Flow, number uint64, r Result) {
	p := binary.LittleEndian.AppendUint64(make([]byte, 0, outcomeHeader+len(r.Reply)), number)
	if r.Err != nil {
		e := refusal(r.Err)
		p = append(append(p, byte(e.Code)), e.Text...)
	} else {
		p = append(append(p, codeNone), r.Reply...)
	}
	if s.workers.Submit(f, dispatch.Request{Payload: p}) != nil {
		s.counts.untold.Add(1)
	}
}

// outcomeHeader is how many bytes of an outcome come before the reply.
const outcomeHeader = 8 + 1

// told notes that a slot was told an outcome, or died, or was not there.
func (s *submitter) told(a dispatch.Answer) {
	if a.Err != nil {
		s.counts.untold.Add(1)
	} else {
		s.counts.told.Add(1)
	}
}

// The codes of errors between processes.
const (
	codeNone = iota
	codeFailed
	codeLost
	codeFull
	codeNoWorker
	codeTooLong
	codeOther
)

// refusal returns what a worker is told of an error.
func refusal(err error) *lane.RefusedError {
	code := uint64(codeOther)
	switch failed := new(dispatch.FailedError); {
	case errors.As(err, &failed):
		code = codeFailed
	case errors.Is(err, dispatch.ErrLost):
		code = codeLost
	case errors.Is(err, dispatch.ErrFull):
		code = codeFull
	case errors.Is(err, dispatch.ErrNoWorker):
		code = codeNoWorker
	case errors.Is(err, lane.ErrTooLong):
		code = codeTooLong
	}
	return &lane.RefusedError{Code: code, Text: err.Error()}
}

// errorOf returns the error that a worker was told.
func errorOf(code uint64, text string) error {
	switch code {
	case codeFailed:
		return &dispatch.FailedError{Text: text}
	case codeLost:
		return dispatch.ErrLost
	case codeFull:
		return dispatch.ErrFull
	case codeNoWorker:
		return dispatch.ErrNoWorker
	case codeTooLong:
		return lane.ErrTooLong
	}
	return &lane.RefusedError{Code: code, Text: text}
}
