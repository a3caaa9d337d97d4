//go:build linux

package epoll_test

import (
	"context"
	"fmt"
	"io"

	"github.com/plait-go/plait/epoll"
)

// A graceful end: nobody is accepted any more, who is connected gets what was
// written for them, and the Loop ends with the last of them. A client that never
// closes is waited for as long as Limits.Close.
func ExampleLoop_Drain() {
	loop, err := epoll.New(nil)
	check(err)
	ln, addr := serveTCP(loop, &epoll.Handler{Opened: greet}, nil)

	end := make(chan string, 1)
	go func() {
		client := dial(addr)
		fmt.Println(exchange(client, "hi"))
		check(loop.Post(func() { shutdown(loop, ln) })) // on a signal, say
		text, err := io.ReadAll(client)
		check(err)
		check(client.Close())
		end <- string(text)
	}()
	check(loop.Run(context.Background()))
	fmt.Println(<-end)
	// Output:
	// hello
	// waiting for {Sources:0 Packets:0 Conns:1 Listeners:0 Timers:0}
	// goodbye
}

func shutdown(loop *epoll.Loop, ln *epoll.Listener) {
	check(ln.Close())
	for c := range loop.Conns() {
		_, _ = c.Write([]byte("goodbye")) // or it is too slow for that
		_ = c.Close(nil)                  // nil: Conns yields none that is closed
	}
	loop.Drain(func(p epoll.Pins) { fmt.Printf("waiting for %+v\n", p) })
}
