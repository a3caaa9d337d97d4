//go:build linux

package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/batch"
)

// check ends an example.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Three records travel in one packet.
func Example() {
	a, b, err := uds.Pair(uds.SeqPacket)
	check(err)
	defer func() { check(b.Close()) }()
	ctx := context.Background()
	w := batch.NewWriter(a, batch.Packets, nil)
	for _, record := range []string{"one", "two", "three"} {
		check(w.Add(ctx, []byte(record)))
	}
	fmt.Println(w.Buffered(), "bytes pending")
	check(w.Flush(ctx))
	check(a.Close())

	r := batch.NewReader(b, batch.Packets, nil)
	for {
		record, err := r.Next(ctx)
		if err == io.EOF {
			return
		}
		check(err)
		fmt.Printf("%s\n", record)
	}
	// Output:
	// 23 bytes pending
	// one
	// two
	// three
}

// On an event loop nothing waits: what the kernel has no room for is sent when the
// socket becomes writable, and reading stops when nothing has come.
func ExampleTryWriter() {
	a, b, err := uds.SocketPair(uds.Stream)
	check(err)
	defer func() { check(errors.Join(a.Close(), b.Close())) }()
	w := batch.NewTryWriter(a, batch.Stream, nil)
	added := 0
	for w.TryAdd(make([]byte, 1000)) == nil {
		added++
	}
	fmt.Println("full:", errors.Is(w.TryFlush(), uds.ErrFull))

	r := batch.NewTryReader(b, batch.Stream, nil)
	received := 0
	for received < added {
		switch _, err := r.TryNext(); {
		case err == nil:
			received++
		case errors.Is(err, uds.ErrEmpty): // the loop would wait here
			_ = w.TryFlush() // and here for room, if there is none yet
		}
	}
	fmt.Println("all received:", received == added, w.Buffered())
	// Output:
	// full: true
	// all received: true 0
}

// On a stream, package framing reads what a Writer sends.
func Example_framing() {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: batch.HeaderSize})
	check(err)
	a, b, err := uds.Pair(uds.Stream)
	check(err)
	defer func() { check(b.Close()) }()
	ctx := context.Background()
	w := batch.NewWriter(a, batch.Stream, nil)
	check(w.Add(ctx, []byte("hello")))
	check(w.Add(ctx, []byte("again")))
	check(w.Flush(ctx))
	check(a.Close())

	for frame, err := range framing.NewReader(b, codec).All() {
		check(err)
		fmt.Printf("%s\n", codec.Payload(frame))
	}
	// Output:
	// hello
	// again
}
