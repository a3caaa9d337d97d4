//go:build linux

package chunk_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// check ends an example.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A message of 3 MB goes through a socket whose packets are much smaller.
func Example() {
	a, b, err := uds.Pair(uds.SeqPacket)
	check(err)
	defer func() { check(errors.Join(a.Close(), b.Close())) }()
	ctx := context.Background()
	sent := make(chan error)
	go func() {
		w := chunk.NewWriter(a, nil)
		_ = w.Send(ctx, []byte("a short one first"))
		sent <- w.Send(ctx, make([]byte, 3_000_000))
	}()
	r := chunk.NewReader(b, nil)
	for range 2 {
		message, err := r.Receive(ctx)
		fmt.Println(len(message), err)
	}
	fmt.Println(<-sent, r.Stats().Chunks)
	// Output:
	// 17 <nil>
	// 3000000 <nil>
	// <nil> 47
}

// On an event loop nothing waits: the rest of a message is sent when the socket
// becomes writable.
func ExampleTryWriter() {
	a, b, err := uds.SocketPair(uds.SeqPacket)
	check(err)
	defer func() { check(errors.Join(a.Close(), b.Close())) }()
	_, err = a.SetBuffers(256<<10, 0)
	check(err)
	w := chunk.NewTryWriter(a, nil)
	fmt.Println(w.TrySend(make([]byte, 3_000_000)), w.Pending() > 0)
	fmt.Println("another one is refused:", errors.Is(w.TrySend([]byte("next")), uds.ErrFull))

	r := chunk.NewTryReader(b, nil)
	for {
		message, done, err := r.TryReceive()
		if done {
			fmt.Println(len(message), err)
			break
		}
		if errors.Is(err, uds.ErrEmpty) { // the loops would wait here
			_ = w.TryFlush() // and here for room, if there is none yet
		}
	}
	fmt.Println(w.Pending(), "bytes pending")
	// Output:
	// <nil> true
	// another one is refused: true
	// 3000000 <nil>
	// 0 bytes pending
}

// A sender that dies within a message leaves nothing behind but a number.
func ExampleReassembler() {
	packet := func(sender uint64, offset uint32, part string) []byte {
		h := chunk.Header{Total: 10, Offset: offset, ID: 1, Sender: sender}
		return append(h.Append(nil), part...)
	}
	r := chunk.Reassembler{Limits: chunk.Limits{Age: time.Second}}
	now := time.Now()
	for _, p := range [][]byte{
		packet(1, 0, "hello"),
		packet(2, 0, "never"), // and nothing more
		packet(1, 5, "world"),
		packet(3, 5, "again"), // which has no beginning
	} {
		if message, done, err := r.Add(p, now); done || err != nil {
			fmt.Printf("%s %v\n", message, err)
		}
	}
	r.Expire(now.Add(2 * time.Second))
	s := r.Stats()
	fmt.Println(s.Messages, s.Expired, s.Orphans, s.Incomplete)
	// Output:
	// helloworld <nil>
	// 1 1 1 0
}
