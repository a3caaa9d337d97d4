//go:build linux

package epoll_test

import (
	"context"
	"fmt"

	"github.com/plait-go/plait/epoll"
)

// The four ways to hand over a callback.
func ExampleHandler() {
	loop, err := epoll.New(nil)
	check(err)
	var m meter
	_, addr := serveTCP(loop, &epoll.Handler{
		Opened: greet,                    // a function
		Data:   m.data,                   // a method value: m goes with it
		EOF:    (*epoll.Conn).CloseWrite, // a method expression: it is the Conn's own
		Closed: func(c *epoll.Conn, reason error) { // a function literal
			fmt.Println("closed:", reason)
			loop.Stop()
		},
	}, nil)

	reply := make(chan string, 1)
	go func() { reply <- ask(dial(addr), "hello, too") }()
	check(loop.Run(context.Background()))
	fmt.Println(<-reply)
	fmt.Println(m.bytes, "bytes")
	// Output:
	// closed: EOF
	// hello
	// 10 bytes
}

func greet(c *epoll.Conn) error {
	_, err := c.Write([]byte("hello"))
	return err
}

// A meter counts what arrives on all connections of a Loop. It needs no lock:
// one goroutine runs the callbacks.
type meter struct{ bytes int }

func (m *meter) data(_ *epoll.Conn, p []byte) error {
	m.bytes += len(p)
	return nil
}
