//go:build linux

package epoll_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A goroutine gets the signals from package os/signal, and posts what is to be
// done to the Loop, whose goroutine owns what it is done to.
func ExampleLoop_Post_signal() {
	loop, err := epoll.New(nil)
	check(err)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGUSR1)

	reloads := 0
	go func() { // ends when signals is closed
		for range signals {
			_ = loop.Post(func() { // or the Loop has ended
				reloads++
				loop.Stop()
			})
		}
	}()

	check(unix.Kill(os.Getpid(), unix.SIGUSR1))
	check(loop.Run(context.Background()))
	signal.Stop(signals) // none comes any more
	close(signals)
	fmt.Println(reloads, "reload")
	// Output: 1 reload
}
