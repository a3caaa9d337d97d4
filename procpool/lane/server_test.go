//go:build linux

package lane_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// A peer is the other side of a lane, as the test plays it.
type peer struct {
	testing.TB
	*uds.Conn
	in    *decoded
	buf   []byte
	begun atomic.Int64
	done  chan error // what Serve has returned
	next  uint64
}

// startPeer has a Server serve a lane, and a Client if it is not nil.
func startPeer(tb testing.TB, s *lane.Server, calls *lane.Client) *peer {
	tb.Helper()
	ours, theirs, err := uds.Pair(uds.Stream)
	if err != nil {
		tb.Fatal(err)
	}
	p := &peer{TB: tb, Conn: ours, in: newDecoded(0), buf: make([]byte, 1<<20), done: make(chan error, 1)}
	go func() { // ends with the lane
		if calls == nil {
			p.done <- s.Serve(theirs, &p.begun)
		} else {
			p.done <- s.ServeCalls(theirs, &p.begun, calls)
		}
	}()
	tb.Cleanup(func() { _ = ours.Close() }) // or it is closed
	return p
}

// send sends requests with consecutive ids, in one write.
func (p *peer) send(payloads ...string) {
	p.Helper()
	var out []byte
	for _, payload := range payloads {
		out = append(out, encode(message{lane.KindRequest, p.next, 100 + p.next, []byte(payload)})...)
		p.next++
	}
	p.write(out)
}

func (p *peer) write(out []byte) {
	p.Helper()
	if _, err := p.Write(out); err != nil {
		p.Fatal(err)
	}
}

// end says that nothing follows, and checks that Serve returns nil.
func (p *peer) end() {
	p.Helper()
	p.write(encode(message{lane.KindEnd, 0, 0, nil}))
	if err := <-p.done; err != nil {
		p.Errorf("Serve = %v, want nil", err)
	}
}

// read reads once, and returns how many messages are there then.
func (p *peer) read() int {
	p.Helper()
	if err := p.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		p.Fatal(err)
	}
	n, err := p.Read(p.buf)
	if err != nil {
		p.Fatal(err)
	}
	if err := p.in.add(p.buf[:n]); err != nil {
		p.Fatal(err)
	}
	return len(p.in.messages)
}

// want reads until so many messages are there, and compares them, and forgets them.
func (p *peer) want(want ...message) {
	p.Helper()
	for len(p.in.messages) < len(want) {
		p.read()
	}
	if diff := cmp.Diff(want, p.in.messages, cmp.Comparer(bytes.Equal)); diff != "" {
		p.Errorf("messages (-want +got):\n%.800s", diff)
	}
	p.in.messages = nil
}

// reply and failure are answers.
func reply(id uint64, text string) message { return message{lane.KindReply, id, 0, []byte(text)} }

func failure(id uint64, text string) message { return message{lane.KindFailure, id, 0, []byte(text)} }

// echo answers with the tag and the payload.
func echo(r *lane.Request) {
	_ = r.Reply(append(strconv.AppendUint(nil, r.Tag, 10), r.Payload...)) // the test misses it
}

// The answers to what comes in one read leave in one write, in order.
func TestOrder(t *testing.T) {
	leaktest.Check(t)
	p := startPeer(t, &lane.Server{Handler: func(r *lane.Request) {
		if err := r.Reply(r.Payload); err != nil {
			t.Error(err)
		}
	}}, nil)
	for range 3 {
		first := p.next
		p.send("a", "b", "c")
		if n := p.read(); n != 3 {
			t.Errorf("%d answers in the first write, want 3", n)
		}
		p.want(reply(first, "a"), reply(first+1, "b"), reply(first+2, "c"))
	}
	p.end()
	if n := p.begun.Load(); n != 9 {
		t.Errorf("%d have begun, want 9", n)
	}
}

// What has been collected is sent before a request that may take long begins.
func TestFlush(t *testing.T) {
	leaktest.Check(t)
	var seen atomic.Bool // the first answer, by the test
	wait := func() {
		for !seen.Load() {
			runtime.Gosched()
		}
	}
	for name, handle := range map[string]func(r *lane.Request){
		"after 100 µs": func(r *lane.Request) {
			if len(r.Payload) > 0 {
				for begun := time.Now(); time.Since(begun) < time.Millisecond; {
					continue
				}
				_ = r.Reply([]byte("first"))
				return
			}
			wait()
			_ = r.Reply(nil)
		},
		"a batch": func(r *lane.Request) {
			if len(r.Payload) > 0 {
				_ = r.Reply(make([]byte, lane.Batch))
				return
			}
			wait()
			_ = r.Reply(nil)
		},
		"Flush": func(r *lane.Request) {
			if len(r.Payload) == 0 {
				if err := r.Flush(); err != nil {
					t.Error(err)
				}
				wait()
			}
			_ = r.Reply([]byte("first"))
		},
		"Later": func(r *lane.Request) {
			if len(r.Payload) > 0 {
				_ = r.Reply([]byte("first"))
				return
			}
			later := r.Later()
			wait()
			_ = later.Reply(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen.Store(false)
			p := startPeer(t, &lane.Server{Handler: handle}, nil)
			p.send("x", "")
			for p.read() < 1 {
				continue
			}
			seen.Store(true)
			for len(p.in.messages) < 2 {
				p.read()
			}
			p.end()
		})
	}
}

// What a Handler does that makes no sense comes to an answer that says so.
func TestOddHandlers(t *testing.T) {
	leaktest.Check(t)
	p := startPeer(t, &lane.Server{Max: 10, Handler: func(r *lane.Request) {
		switch string(r.Payload) {
		case "fail":
			_ = r.Fail(errors.New("for a reason"))
		case "fail nil":
			_ = r.Fail(nil)
		case "nothing":
		case "twice":
			_ = r.Reply([]byte("once"))
			if err := errors.Join(r.Reply(nil)); !errors.Is(err, lane.ErrAnswered) || !errors.Is(r.Fail(err), lane.ErrAnswered) || r.Later() != nil {
				t.Errorf("Reply after Reply = %v, want ErrAnswered", err)
			}
		case "later":
			later := r.Later()
			if err := r.Reply(nil); !errors.Is(err, lane.ErrAnswered) {
				t.Errorf("Reply after Later = %v, want ErrAnswered", err)
			}
			if err := later.Fail(errors.New("late")); err != nil {
				t.Error(err)
			}
			if err := later.Reply(nil); !errors.Is(err, lane.ErrAnswered) {
				t.Errorf("Reply after Fail = %v, want ErrAnswered", err)
			}
		case "long":
			if err := r.Reply(make([]byte, 11)); !errors.Is(err, lane.ErrTooLong) {
				t.Errorf("Reply of 11 bytes = %v, want ErrTooLong", err)
			}
		case "tag":
			echo(r)
		}
	}}, nil)
	p.send("fail", "fail nil", "nothing", "twice", "later", "long", "tag")
	p.want(
		failure(0, "for a reason"), failure(1, "failed"), failure(2, "not answered"), reply(3, "once"),
		failure(4, "late"), failure(5, "lane: message too long: a reply of 11 bytes, 10 are the limit"), reply(6, "106tag"),
	)
	p.end()
}

// Serve says why it has ended.
func TestEnds(t *testing.T) {
	leaktest.Check(t)
	request := encode(message{lane.KindRequest, 0, 0, []byte("x")})
	open := lane.AppendHeader(nil, lane.Header{Kind: lane.KindRequest, More: true}, 1)
	for _, c := range []struct {
		name string
		p    []byte
		want error
	}{
		{"nothing", nil, io.EOF},
		{"between requests", request, io.EOF},
		{"inside a record", request[:len(request)-1], io.ErrUnexpectedEOF},
		{"inside a header", request[:3], io.ErrUnexpectedEOF},
		{"inside a message", append(open, 'x'), io.ErrUnexpectedEOF},
		{"no record", bytes.Repeat([]byte("x"), 100), lane.ErrCorrupt},
		{"no kind", encode(message{9, 0, 0, nil}), lane.ErrCorrupt},
		{"a reply", encode(reply(0, "")), lane.ErrCorrupt},
		{"a return, and there are no calls", encode(message{lane.KindReturn, 0, 0, nil}), lane.ErrCorrupt},
		{"too long", encode(message{lane.KindRequest, 0, 0, make([]byte, 1001)}), lane.ErrCorrupt},
	} {
		for _, concurrency := range []int{1, 4} {
			t.Run(c.name+", "+strconv.Itoa(concurrency), func(t *testing.T) {
				p := startPeer(t, &lane.Server{Handler: echo, Concurrency: concurrency, Max: 1000}, nil)
				p.write(c.p)
				if err := p.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if err := <-p.done; !errors.Is(err, c.want) {
					t.Errorf("Serve = %v, want %v", err, c.want)
				}
			})
		}
	}
}
