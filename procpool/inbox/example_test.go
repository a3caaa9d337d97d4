//go:build linux

package inbox_test

import (
	"context"
	"fmt"

	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds"
)

// One process reads an inbox, any number send to it.
func Example() {
	ctx := context.Background()
	read, write, err := inbox.Pair()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _, _ = read.Close(), write.Close() }()
	mine, others := inbox.Addr{Slot: 0, Incarnation: 1}, inbox.Addr{Slot: 1, Incarnation: 4}

	s := inbox.NewSender(others, []*uds.Conn{write}, 0)
	if err := s.Send(ctx, inbox.Addr{Slot: 0}, []byte("hello")); err != nil {
		fmt.Println(err)
	}
	if err := s.TrySend(mine, []byte("to you alone")); err != nil {
		fmt.Println(err)
	}

	r := inbox.NewReceiver(mine, inbox.Ends{Main: read}, 0)
	for range 2 {
		m, err := r.Receive(ctx)
		fmt.Printf("%q from %v, %v\n", m.Payload, m.From, err)
	}
	// Output:
	// "hello" from 1.4, <nil>
	// "to you alone" from 1.4, <nil>
}
