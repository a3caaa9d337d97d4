//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/uds"
)

// Two ends of a connection that keeps the boundaries of messages.
func ExamplePair() {
	ctx := context.Background()
	a, b, err := uds.Pair(uds.SeqPacket)
	check(err)
	for _, message := range []string{"one", "", "a long one"} {
		_, err := a.Send(ctx, []byte(message))
		check(err)
	}
	check(a.Close())
	for buf := make([]byte, 5); ; {
		n, err := b.Receive(ctx, buf)
		if err == io.EOF {
			break
		}
		fmt.Printf("%q %v\n", buf[:n], err)
	}
	check(b.Close())
	// Output:
	// "one" <nil>
	// "" <nil>
	// "a lon" uds: message of 10 bytes cut to a buffer of 5
}

// sendUntilFull sends until there is no room, and returns the number of messages.
func sendUntilFull(c *uds.Conn, message []byte) (n int) {
	for ; ; n++ {
		_, err := c.TrySend(message)
		if err == uds.ErrFull {
			return n
		}
		check(err)
	}
}

// receiveToEnd returns the number of messages that come.
func receiveToEnd(c *uds.Conn) (n int) {
	for buf := make([]byte, 64<<10); ; n++ {
		_, err := c.Receive(context.Background(), buf)
		if err == io.EOF {
			return n
		}
		check(err)
	}
}

// receiveAttached is receiveToEnd of a Socket, which it closes.
func receiveAttached(s *uds.Socket) int {
	c, err := s.Attach()
	check(err)
	n := receiveToEnd(c)
	check(c.Close())
	return n
}

// A process that does nothing else meanwhile: Send waits as long as there is no room.
func ExampleConn_Send() {
	a, b, err := uds.Pair(uds.SeqPacket)
	check(err)
	message := make([]byte, 1024)
	full := sendUntilFull(a, message) // nobody receives
	received := make(chan int)
	go func() { received <- receiveToEnd(b) }()
	for range 1000 {
		_, err := a.Send(context.Background(), message)
		check(err)
	}
	check(a.Close())
	fmt.Println(full > 1, <-received-full)
	check(b.Close())
	// Output: true 1000
}

// A goroutine among others: Send waits as long as its context allows. What it could
// not send was not sent.
func ExampleConn_Send_context() {
	a, b, err := uds.Pair(uds.SeqPacket)
	check(err)
	message := make([]byte, 1024)
	full := sendUntilFull(a, message) // nobody receives
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	n, err := a.Send(ctx, message)
	fmt.Println(n, errors.Is(err, context.DeadlineExceeded))
	check(a.Close())
	fmt.Println(receiveToEnd(b) - full)
	check(b.Close())
	// Output:
	// 0 true
	// 0
}

// An outbox keeps what there is no room for, until the loop says that there is. How
// much it may keep is for the program to say; this one knows.
type outbox struct {
	socket *uds.Socket
	source *epoll.Source
	unsent [][]byte
}

// send sends p now, or later, and then retains it.
func (o *outbox) send(p []byte) error {
	if len(o.unsent) == 0 {
		_, err := o.socket.TrySend(p)
		if err != uds.ErrFull {
			return err
		}
	}
	o.unsent = append(o.unsent, p)
	return o.source.Set(epoll.Writable)
}

// flush sends what there is room for.
func (o *outbox) flush() error {
	for len(o.unsent) > 0 {
		_, err := o.socket.TrySend(o.unsent[0])
		if err == uds.ErrFull {
			return nil
		}
		if err != nil {
			return err
		}
		o.unsent = o.unsent[1:]
	}
	return o.source.Set(0)
}

// A process with an event loop, which must not wait: TrySend says that there is no
// room, and what was not sent is kept until the loop says that there is some.
func ExampleSocket_TrySend() {
	a, b, err := uds.SocketPair(uds.SeqPacket)
	check(err)
	loop, err := epoll.New(nil)
	check(err)
	o := &outbox{socket: a}
	o.source, err = loop.Add(a.FD(), 0, func(epoll.Events) {
		check(o.flush())
		if len(o.unsent) == 0 {
			check(errors.Join(o.source.Remove(), a.Close()))
			loop.Stop()
		}
	})
	check(err)
	for range 1024 {
		check(o.send(make([]byte, 8192))) // nobody receives
	}
	fmt.Println(len(o.unsent) > 0)
	received := make(chan int)
	go func() { received <- receiveAttached(b) }()
	check(loop.Run(context.Background()))
	fmt.Println(<-received)
	// Output:
	// true
	// 1024
}
