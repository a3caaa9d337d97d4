//go:build linux

package lane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds/leaktest"
)

// callers returns a peer whose Server has calls, and their Client.
func callers(tb testing.TB, s *lane.Server, limit int, late func()) (*peer, *lane.Client) {
	tb.Helper()
	c := lane.NewClient(limit, late)
	return startPeer(tb, s, c), c
}

// nextCall reads until there is a call, and takes it out of what has come.
func (p *peer) nextCall() message {
	p.Helper()
	for {
		i := slices.IndexFunc(p.in.messages, func(m message) bool { return m.Kind == lane.KindCall })
		if i >= 0 {
			m := p.in.messages[i]
			p.in.messages = slices.Delete(p.in.messages, i, i+1)
			return m
		}
		p.read()
	}
}

// result is what a call has come to.
type result struct {
	reply string
	err   error
}

// call makes a call, and returns where its result is going to be.
func call(ctx context.Context, c *lane.Client, tag uint64, payload string) chan result {
	done := make(chan result, 1)
	go func() { // ends with the call
		reply, err := c.Call(ctx, tag, []byte(payload))
		done <- result{string(reply), err}
	}()
	return done
}

func TestCalls(t *testing.T) {
	leaktest.Check(t)
	p, c := callers(t, &lane.Server{Handler: echo}, 0, nil)
	for _, payload := range []string{"", "hello", strings.Repeat("x", 3*lane.Piece+1)} {
		done := call(t.Context(), c, 42, payload)
		m := p.nextCall()
		if m.Tag != 42 || string(m.Payload) != payload {
			t.Errorf("call of %d bytes and tag %d, want %d and 42", len(m.Payload), m.Tag, len(payload))
		}
		p.write(encode(message{lane.KindReturn, m.ID, 0, []byte("not " + payload)}))
		if got := <-done; got.err != nil || got.reply != "not "+payload {
			t.Errorf("Call = %.20q, %v", got.reply, got.err)
		}
	}
	done := call(t.Context(), c, 1, "please")
	m := p.nextCall()
	p.write(encode(message{lane.KindRefusal, m.ID, 7, []byte("no")}))
	var refused *lane.RefusedError
	if got := <-done; !errors.As(got.err, &refused) || refused.Code != 7 || got.err.Error() != "no" {
		t.Errorf("Call = %q, %v; want refused", got.reply, got.err)
	}
	p.end()
}

// Many goroutines call, the returns come in another order, and each gets its own.
func TestManyCalls(t *testing.T) {
	leaktest.Check(t)
	p, c := callers(t, &lane.Server{Handler: echo}, 0, nil)
	const n = 200
	var calling sync.WaitGroup
	for i := range n {
		calling.Go(func() {
			text := fmt.Sprint(i)
			if got, err := c.Call(t.Context(), uint64(i), []byte(text)); err != nil || string(got) != text+"!" {
				t.Errorf("call %d = %q, %v", i, got, err)
			}
		})
	}
	calls := make([]message, n)
	for i := range calls {
		calls[i] = p.nextCall()
	}
	slices.Reverse(calls)
	for _, m := range calls {
		p.write(encode(message{lane.KindReturn, m.ID, 0, append(m.Payload, '!')}))
	}
	calling.Wait()
	p.end()
}

// A return that nobody waits for any more is dropped, and counted.
func TestLateReturn(t *testing.T) {
	leaktest.Check(t)
	var late atomic.Int64
	p, c := callers(t, &lane.Server{Handler: echo}, 0, func() { late.Add(1) })
	enough := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	done := call(ctx, c, 0, "slow")
	m := p.nextCall()
	stop(enough)
	if got := <-done; !errors.Is(got.err, enough) {
		t.Errorf("Call = %v, want the cause", got.err)
	}
	if _, err := c.Call(ctx, 0, nil); err != nil && !errors.Is(err, enough) {
		t.Errorf("Call = %v, want the cause", err)
	}
	returned := encode(message{lane.KindReturn, m.ID, 0, nil})
	p.write(append(returned, returned...)) // and once more
	next := call(t.Context(), c, 0, "next")
	for n := p.nextCall(); ; n = p.nextCall() {
		p.write(encode(message{lane.KindReturn, n.ID, 0, []byte("its own")}))
		if string(n.Payload) == "next" {
			break
		}
	}
	if got := <-next; got.reply != "its own" || got.err != nil {
		t.Errorf("Call = %q, %v", got.reply, got.err)
	}
	if n := late.Load(); n < 2 {
		t.Errorf("%d returns were late, want 2", n)
	}
	p.end()
}

// A handler may call while it has the only request.
func TestCallInHandler(t *testing.T) {
	leaktest.Check(t)
	var c *lane.Client
	p, c := callers(t, &lane.Server{Handler: func(r *lane.Request) {
		got, err := c.Call(t.Context(), r.Tag, r.Payload)
		if err != nil {
			_ = r.Fail(err)
			return
		}
		_ = r.Reply(got)
	}}, 0, nil)
	p.send("a", "b")
	for _, want := range []string{"a", "b"} {
		m := p.nextCall()
		if string(m.Payload) != want {
			t.Errorf("call %q, want %q", m.Payload, want)
		}
		p.write(encode(message{lane.KindReturn, m.ID, 0, append(m.Payload, '!')}))
	}
	p.want(reply(0, "a!"), reply(1, "b!"))
	p.end()
}

// Calls end with the lane: those that wait, and those to come.
func TestCallsEnd(t *testing.T) {
	leaktest.Check(t)
	p, c := callers(t, &lane.Server{Handler: echo}, 100, nil)
	if _, err := c.Call(t.Context(), 0, make([]byte, 101)); !errors.Is(err, lane.ErrTooLong) {
		t.Errorf("Call = %v, want ErrTooLong", err)
	}
	waits := call(t.Context(), c, 0, "x")
	p.nextCall()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-p.done; err == nil {
		t.Error("Serve = nil, and nobody has said that nothing follows")
	}
	for _, done := range []chan result{waits, call(t.Context(), c, 0, "y")} {
		if got := <-done; !errors.Is(got.err, lane.ErrEnded) {
			t.Errorf("Call = %v, want ErrEnded", got.err)
		}
	}
	never := lane.NewClient(0, nil)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := never.Call(ctx, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Call without a lane = %v, want the end of its context", err)
	}
}
