//go:build linux

package dispatch_test

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
)

// A Dispatcher without a loop sends a request to its only worker, which is in this
// process. Errors are left out.
func Example() {
	rounds, answers := dispatch.NewSerial(), make(chan string, 1)
	d, _ := dispatch.New(1, rounds, &dispatch.Options{
		Answered: func(a dispatch.Answer) { answers <- fmt.Sprintf("%d: %s %v", a.Cookie, a.Payload, a.Err) },
	})
	ours, theirs, _ := uds.SocketPair(uds.Stream)
	conn, _ := theirs.Attach()
	var begun atomic.Int64
	server := &lane.Server{Handler: func(r *lane.Request) { _ = r.Reply(bytes.ToUpper(r.Payload)) }}
	ended := make(chan error)
	go func() { ended <- server.Serve(conn, &begun) }()

	worker := d.Attach(0, dispatch.Worker{Socket: ours, Begun: begun.Load})
	worker.Ready()
	_ = rounds.Post(func() {
		flow := d.Open(1, 0, nil)
		_ = d.Submit(flow, dispatch.Request{Payload: []byte("hello"), Cookie: 7})
	})
	fmt.Println(<-answers)
	worker.Drain(nil)
	fmt.Println(<-ended)
	worker.Exited()
	// Output:
	// 7: HELLO <nil>
	// <nil>
}
