//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/uds"
)

// A Socket on an event loop, told once for each change: the callback receives until
// nothing is there.
func ExampleSocket() {
	a, b, err := uds.SocketPair(uds.SeqPacket)
	check(err)
	loop, err := epoll.New(nil)
	check(err)
	buf := make([]byte, 1024)
	var source *epoll.Source
	source, err = loop.Add(b.FD(), epoll.Readable|epoll.EdgeTriggered, func(epoll.Events) {
		n, err := b.TryReceive(buf)
		for ; err == nil; n, err = b.TryReceive(buf) {
			fmt.Printf("%s\n", buf[:n])
		}
		if err == io.EOF { // or uds.ErrEmpty
			check(errors.Join(source.Remove(), b.Close()))
			loop.Stop()
		}
	})
	check(err)
	go sendAndClose(a, "one", "two", "three")
	check(loop.Run(context.Background()))
	// Output:
	// one
	// two
	// three
}

// sendAndClose sends a few messages, for which there is room.
func sendAndClose(s *uds.Socket, messages ...string) {
	for _, message := range messages {
		_, err := s.TrySend([]byte(message))
		check(err)
	}
	check(s.Close())
}

// A stream for an epoll.Conn, which buffers what it writes and owns the descriptor.
func ExampleSocket_Release() {
	a, b, err := uds.SocketPair(uds.Stream)
	check(err)
	loop, err := epoll.New(nil)
	check(err)
	_, err = loop.Attach(b.Release(), &epoll.Handler{
		Data:   func(c *epoll.Conn, p []byte) error { _, err := c.Write(p); return err },
		Closed: func(*epoll.Conn, error) { loop.Stop() },
	})
	check(err)

	client, err := a.Attach()
	check(err)
	reply := make(chan string)
	go func() {
		_, err := client.Send(context.Background(), []byte("hello"))
		check(errors.Join(err, client.CloseWrite()))
		text, err := io.ReadAll(client)
		check(errors.Join(err, client.Close()))
		reply <- string(text)
	}()
	check(loop.Run(context.Background()))
	fmt.Println(<-reply)
	// Output: hello
}
