//go:build linux

package socket_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"

	"github.com/plait-go/plait/procpool/socket"
)

// A worker that answers in capitals, and a client.
func Example() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l.Close() }()
	s := &socket.Server{Handle: func(_ context.Context, body []byte, reply io.Writer) error {
		_, err := reply.Write(bytes.ToUpper(body))
		return err
	}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	served := make(chan error)
	go func() { served <- s.Serve(ctx, l) }()

	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := socket.Call(ctx, conn, []byte("hello"), 0)
	fmt.Printf("%q %v\n", reply, err)
	cancel()
	fmt.Println(<-served)
	// Output:
	// "HELLO" <nil>
	// <nil>
}
