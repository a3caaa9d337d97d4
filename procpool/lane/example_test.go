//go:build linux

package lane_test

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/uds"
)

// Both sides of a lane. Package dispatch is the other side of real ones.
func ExampleServer() {
	manager, worker, err := uds.Pair(uds.Stream)
	if err != nil {
		fmt.Println(err)
		return
	}
	var begun atomic.Int64 // a word of shared memory, as a rule
	done := make(chan error)
	go func() {
		s := &lane.Server{Handler: func(r *lane.Request) { _ = r.Reply(bytes.ToUpper(r.Payload)) }}
		done <- s.Serve(worker, &begun)
	}()

	out := lane.Append(nil, lane.Header{Kind: lane.KindRequest, ID: 0}, []byte("hello"))
	out = lane.Append(out, lane.Header{Kind: lane.KindRequest, ID: 1}, []byte("world"))
	out = lane.Append(out, lane.Header{Kind: lane.KindEnd}, nil)
	if _, err := manager.Write(out); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-done, begun.Load())

	buf := make([]byte, 1000)
	n, err := manager.Read(buf)
	if err != nil {
		fmt.Println(err)
	}
	records := lane.NewDecoder()
	for record, err := range records.Frames(buf[:n]) {
		if err != nil {
			fmt.Println(err)
			return
		}
		h, payload, err := lane.Parse(record)
		fmt.Println(h.ID, string(payload), err)
	}
	fmt.Println(manager.Close())
	// Output:
	// <nil> 2
	// 0 HELLO <nil>
	// 1 WORLD <nil>
	// <nil>
}
