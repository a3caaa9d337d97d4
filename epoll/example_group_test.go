//go:build linux

package epoll_test

import (
	"context"
	"fmt"

	"github.com/plait-go/plait/epoll"
)

// One Listener for three Loops: each connection is handed to the Loop that has the
// fewest.
func ExampleGroup() {
	group, err := epoll.NewGroup(3, nil)
	check(err)
	opened := make(chan uint64, 3)
	h := &epoll.Handler{Opened: func(c *epoll.Conn) error {
		opened <- c.ID()
		return nil
	}}
	_, addr := serveTCP(group.Loops()[0], h, &epoll.ListenOptions{Loop: group.Least})

	go func() {
		defer group.Stop()
		for range 3 {
			client := dial(addr)
			defer func() { check(client.Close()) }()
			<-opened
		}
		for _, l := range group.Loops() {
			fmt.Println("connections:", l.Len())
		}
	}()
	check(group.Run(context.Background()))
	// Output:
	// connections: 1
	// connections: 1
	// connections: 1
}

// Any goroutine finds a connection by its ID, whichever Loop it is on, or hears
// that it is closed.
func ExampleGroup_Do() {
	group, err := epoll.NewGroup(3, nil)
	check(err)
	ids := make(chan uint64, 2)
	_, addr := serveTCP(group.Loops()[0], &epoll.Handler{
		Opened: func(c *epoll.Conn) error { ids <- c.ID(); return nil },
		Closed: func(c *epoll.Conn, _ error) { ids <- c.ID() },
	}, &epoll.ListenOptions{Loop: group.Least})

	go func() {
		defer group.Stop()
		client := dial(addr)
		check(group.Do(<-ids, func(c *epoll.Conn) {
			if c != nil {
				_ = c.Close(greet(c))
			}
		}))
		fmt.Println(exchange(client, "hi"))
		check(client.Close())
		done := make(chan bool)
		check(group.Do(<-ids, func(c *epoll.Conn) { done <- c == nil }))
		fmt.Println("closed:", <-done)
	}()
	check(group.Run(context.Background()))
	// Output:
	// hello
	// closed: true
}
