//go:build linux

package sysvmsg_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plait-go/plait/sysvmsg"
)

// Many goroutines send and receive, by all rules; each message comes once, and none
// before those that its sender sent of the same type.
func TestManyGoroutines(t *testing.T) {
	checkLeaks(t)
	const senders, each, kinds = 8, 2000, 3
	q := private(t, 1000)
	ctx := within(t)
	var seen [senders * each]atomic.Int32
	var sending, receiving sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for j := range each {
				p := binary.BigEndian.AppendUint32(nil, uint32(i*each+j))
				if err := q.Send(ctx, sysvmsg.Type(1+j%kinds), p); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	ended, end := context.WithCancel(ctx)
	for _, s := range []sysvmsg.Selector{
		sysvmsg.Any(), sysvmsg.Any(), sysvmsg.Exact(1), sysvmsg.Exact(2), sysvmsg.Lowest(2), sysvmsg.Except(2), sysvmsg.Except(9),
	} {
		receiving.Go(func() {
			buf := make([]byte, 10)
			var last [senders][kinds]uint32
			for {
				n, typ, err := q.Receive(ended, s, buf)
				if err != nil {
					if ended.Err() == nil {
						t.Error(err)
					}
					return
				}
				number := binary.BigEndian.Uint32(buf[:n])
				seen[number].Add(1)
				before := &last[number/each][typ-1]
				if number < *before {
					t.Errorf("%v: %d came behind %d", s, number, *before)
				}
				*before = number
			}
		})
	}
	sending.Wait()
	eventually(t, "the queue is empty", func() bool {
		s, err := q.Stat()
		return err != nil || s.Messages == 0
	})
	end()
	receiving.Wait()
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("message %d came %d times; want once", i, n)
		}
	}
}

// What a goroutine did before it sent, another may use when it has received. Only
// the race detector could find fault with that.
func TestMessagesOrderMemory(t *testing.T) {
	checkLeaks(t)
	there, back := private(t, 0), private(t, 0)
	ctx := within(t)
	count, done := 0, make(chan error, 1)
	go func() {
		_, _, err := there.Receive(ctx, sysvmsg.Any(), nil)
		count++
		done <- errors.Join(err, back.Send(ctx, 1, nil))
	}()
	count++
	must(t, there.Send(ctx, 1, nil))
	_, _, err := back.Receive(ctx, sysvmsg.Any(), nil)
	must(t, err)
	if count++; count != 3 {
		t.Errorf("count = %d; want 3", count)
	}
	must(t, <-done)
}
