//go:build linux

package uds_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// An op is a call of one end of a pair.
type op struct {
	verb string
	end  int
	size int // of the message, or of the buffer
}

// genOp makes ops, those that end something rarely.
func genOp() gopter.Gen {
	const often, seldom = 12, 1
	verbs := []struct {
		name  string
		times int
	}{
		{"TrySend", often},
		{"TrySendv", often / 2},
		{"Send", often / 2},
		{"Write", 2},
		{"TryReceive", often},
		{"Receive", often / 2},
		{"Read", 2},
		{"TrySize", 4},
		{"ended", 2},
		{"Detach", 2},
		{"Close", seldom},
		{"CloseWrite", seldom},
	}
	var bag []string
	for _, v := range verbs {
		for range v.times {
			bag = append(bag, v.name)
		}
	}
	sizes := []int{0, 0, 1, 10, 100, 1000, 10_000, 60_000}
	return func(p *gopter.GenParameters) *gopter.GenResult {
		o := op{verb: bag[p.Rng.Intn(len(bag))], end: p.Rng.Intn(2)}
		o.size = sizes[p.Rng.Intn(len(sizes))]
		if o.size > 1 {
			o.size += p.Rng.Intn(o.size)
		}
		return gopter.NewGenResult(o, gopter.NoShrinker)
	}
}

// applyReceive receives, with a verb that waits if there is something.
func (s *system) applyReceive(o op) string {
	c := s.conns[o.end]
	out, want := s.receive(o.end, o.size, false)
	p := make([]byte, o.size)
	var n int
	var err error
	switch {
	case o.verb == "Receive" && out.want == uds.ErrEmpty:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 50*time.Microsecond)
		defer cancel()
		out.want = context.DeadlineExceeded
		n, err = c.Receive(ctx, p)
	case o.verb == "Receive":
		n, err = c.Receive(context.WithoutCancel(s.ctx), p)
	case o.verb == "Read" && out.want != uds.ErrEmpty:
		n, err = c.Read(p)
	default:
		n, err = c.TryReceive(p)
	}
	if text := out.check(n, err); text != "" {
		return text
	}
	if !bytes.Equal(p[:n], want) {
		return fmt.Sprintf("%d other bytes than those that were sent", n)
	}
	return ""
}

// applySend sends. How much there is room for the model does not know, but that an
// empty queue has some: where the call may wait in vain it has a moment, and ends.
func (s *system) applySend(o op) string {
	c := s.conns[o.end]
	out, delivers := s.send(o.end, o.size)
	certain := !delivers || len(s.ends[1-o.end].queue) == 0 && (s.kind != uds.Stream || o.size < 10_000)
	limit := 200 * time.Microsecond
	if certain {
		limit = patience
	}
	p := s.payload(o.size)
	full, n, err := uds.ErrFull, 0, error(nil)
	switch o.verb {
	case "Send":
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), limit)
		full = context.DeadlineExceeded
		n, err = c.Send(ctx, p)
		cancel()
	case "Write":
		full = os.ErrDeadlineExceeded
		_ = c.SetWriteDeadline(time.Now().Add(limit)) // closed, perhaps
		n, err = c.Write(p)
		_ = c.SetWriteDeadline(time.Time{}) // as above
	case "TrySendv":
		n, err = c.TrySendv(p[:o.size/3], nil, p[o.size/3:])
	default:
		n, err = c.TrySend(p)
	}
	if !certain && errors.Is(err, full) && n < max(o.size, 1) && (s.kind == uds.Stream || n == 0) {
		out = expected{n, full}
	}
	if delivers && (n > 0 || err == nil) {
		s.sent(o.end, p[:n])
	}
	return out.check(n, err)
}

// play makes calls of a new pair and tells what is wrong.
func play(ctx context.Context, kind uds.Kind, ops []op) string {
	a, b, err := uds.Pair(kind)
	if err != nil {
		return err.Error()
	}
	s := &system{model: model{kind: kind}, conns: [2]*uds.Conn{a, b}, ctx: ctx}
	defer func() { _, _ = s.conns[0].Close(), s.conns[1].Close() }() // closed, perhaps
	for i, o := range ops {
		if text := s.apply(o); text != "" {
			return fmt.Sprintf("call %d, %s(%d bytes) of end %d: %s", i, o.verb, o.size, o.end, text)
		}
	}
	// All that was sent is there.
	for i := range 2 {
		for len(s.ends[i].queue) > 0 {
			if text := s.apply(op{"TryReceive", i, 100_000}); text != "" {
				return fmt.Sprintf("at the end, TryReceive of end %d: %s", i, text)
			}
		}
	}
	return ""
}

// Whatever is called in whatever order, a pair does what the model does.
//
// The trials are the same ones each time, unless PLAIT_SEED names others.
func TestModel(t *testing.T) {
	seed := int64(1)
	if text := os.Getenv("PLAIT_SEED"); text != "" {
		n, err := strconv.ParseInt(text, 0, 64)
		must(t, err)
		seed = n
	}
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			ctx := endedContext(t)
			parameters := gopter.DefaultTestParametersWithSeed(seed)
			parameters.MinSuccessfulTests, parameters.MaxSize = 250, 100
			properties := gopter.NewProperties(parameters)
			properties.Property(fmt.Sprintf("as the model, PLAIT_SEED=%d", seed), prop.ForAll(func(ops []op) string {
				return play(ctx, kind, ops)
			}, gen.SliceOf(genOp())))
			properties.TestingRun(t)
		})
	}
}
