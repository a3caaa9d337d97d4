//go:build linux

package lane_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/procpool/lane"
)

// seeds are what the lane of a worker may have on it, and what it may not.
func seeds() [][]byte {
	large := bytes.Repeat([]byte("x"), lane.Piece+1)
	good := encode(message{lane.KindRequest, 0, 1, []byte("a")}, message{lane.KindRequest, 1, 2, large}, message{lane.KindReturn, 0, 0, []byte("r")},
		message{lane.KindRefusal, 1, 7, nil}, message{lane.KindReturn, 9, 0, nil}, message{lane.KindEnd, 0, 0, nil})
	return [][]byte{
		nil, good, good[:len(good)-1], good[:60], good[1:], bytes.Repeat(good[:25], 40),
		encode(message{lane.KindReply, 0, 0, nil}), []byte("GET / HTTP/1.1\r\n\r\n"),
		append(lane.AppendHeader(nil, lane.Header{Kind: lane.KindRequest, More: true}, 1), 'x'),
		lane.AppendHeader(nil, lane.Header{Kind: lane.KindRequest, More: true}, 0),
	}
}

// Bytes are messages, which come out the same once more, or an error, and there is never
// more of them than was sent.
func FuzzDecode(f *testing.F) {
	for _, p := range seeds() {
		f.Add(p, uint16(1))
		f.Add(p, uint16(4096))
	}
	f.Fuzz(func(t *testing.T, p []byte, cut uint16) {
		const limit = 100_000
		d := newDecoded(limit)
		for rest := p; len(rest) > 0; {
			n := min(int(cut)+1, len(rest))
			if err := d.add(rest[:n]); err != nil {
				if !errors.Is(err, lane.ErrCorrupt) && !errors.As(err, new(*framing.Error)) {
					t.Errorf("error %v", err)
				}
				break
			}
			rest = rest[n:]
		}
		again := encode(d.messages...)
		if len(again) > len(p) {
			t.Errorf("%d bytes of messages of %d bytes", len(again), len(p))
		}
		once := newDecoded(limit)
		if err := errors.Join(once.add(again), once.end(d.messages)); err != nil {
			t.Error(err)
		}
	})
}

// Whatever comes over a lane, a Server ends in order: what it answers are records, at
// most one for each request that it was sent, and no call waits for ever.
func FuzzServer(f *testing.F) {
	for _, p := range seeds() {
		for _, how := range []uint8{0, 1, 2, 3} {
			f.Add(p, how)
		}
	}
	f.Fuzz(func(t *testing.T, p []byte, how uint8) {
		const limit = 100_000
		s := &lane.Server{Handler: echo, Max: limit, Concurrency: 1 + int(how&1)}
		var calls *lane.Client
		var waits chan result
		if how&2 != 0 {
			calls = lane.NewClient(limit, nil)
		}
		w := startPeer(t, s, calls)
		if calls != nil {
			waits = call(t.Context(), calls, 0, "call")
		}
		go func() { // ends with the lane
			_, _ = w.Write(p) // or the Server has had enough
			_ = w.CloseWrite()
		}()
		back, err := io.ReadAll(w)
		if err != nil {
			t.Log(err) // it has closed with bytes unread
		}
		if err := <-w.done; err == nil && !bytes.Contains(p, []byte{byte(lane.KindEnd)}) {
			t.Error("Serve = nil, and nobody has said that nothing follows")
		}
		if waits != nil {
			<-waits
		}
		d := newDecoded(2 * limit)
		if err := d.add(back); err != nil {
			t.Fatal(err)
		}
		asked := newDecoded(limit)
		_ = asked.add(p) // as far as it goes
		var ids []uint64
		for _, m := range asked.messages {
			if m.Kind == lane.KindRequest {
				ids = append(ids, m.ID)
			}
		}
		for _, m := range d.messages {
			i := slices.Index(ids, m.ID)
			switch {
			case m.Kind == lane.KindCall && calls != nil:
			case m.Kind != lane.KindReply && m.Kind != lane.KindFailure, i < 0:
				t.Errorf("message of kind %d to %d, which nobody has sent, or twice", m.Kind, m.ID)
			default:
				ids = slices.Delete(ids, i, i+1)
			}
		}
	})
}
