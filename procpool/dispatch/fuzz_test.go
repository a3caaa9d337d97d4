//go:build linux

package dispatch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
)

// Whatever a worker sends, and however much it has read and says to have begun: each
// request is answered once, or lost.
func FuzzAnswers(f *testing.F) {
	for _, bytes := range hostile() {
		f.Add(bytes, uint32(1<<20), int64(3), uint8(0))
	}
	var replies []byte
	for _, id := range []uint64{2, 0, 1, 9, 3} {
		replies = append(replies, reply(id, "x")...)
		f.Add(replies, uint32(300_000), int64(7), uint8(id))
	}
	replies = lane.Append(replies, lane.Header{Kind: lane.KindFailure, ID: 4}, []byte("no"))
	replies = lane.Append(replies, lane.Header{Kind: lane.KindCall}, []byte("call"))
	replies = append(replies, reply(5, strings.Repeat("x", 2*lane.Piece+1))...)
	f.Add(replies, uint32(1<<30), int64(10), uint8(200))
	f.Fuzz(func(t *testing.T, bytes []byte, takes uint32, begun int64, closes uint8) {
		const n = 10
		outcomes := make([]int, n)
		r := newRig(t, 1, dispatch.Options{
			Max: 1 << 20, Window: 8,
			Answered: func(a dispatch.Answer) {
				if outcomes[a.Cookie]++; a.Err != nil && !errors.Is(a.Err, dispatch.ErrLost) && !errors.As(a.Err, new(*dispatch.FailedError)) {
					t.Errorf("request %d came to %v", a.Cookie, a.Err)
				}
			},
			Called: func(c *dispatch.Call) { c.Return(c.Payload) },
		})
		w := r.serve(0)
		flows := []*dispatch.Flow{r.d.Open(1, 0, nil), r.d.Open(2, 0, nil)}
		r.round(func() {
			for i := range uint64(n) {
				q := dispatch.Request{Payload: make([]byte, 10), Cookie: i, Redeliver: i%3 == 2}
				if i%4 == 1 {
					q.Payload = make([]byte, 100_000)
				}
				if err := r.d.Submit(flows[i%2], q); err != nil {
					t.Errorf("Submit = %v; want nil", err)
				}
			}
		})
		w.take(int(takes % (1 << 20)))
		w.begun = begun
		cut := len(bytes) * int(closes) / 256
		w.send(bytes[:cut])
		r.settle()
		if closes%4 == 3 {
			flows[0].Discard()
		}
		w.send(bytes[cut:])
		w.die()
		r.serve(0).work()
		r.balance()
		for i, got := range outcomes {
			if got != 1 && (got != 0 || closes%4 != 3 || i%2 != 0) {
				t.Errorf("request %d has %d outcomes; want 1", i, got)
			}
		}
		r.end()
	})
}
