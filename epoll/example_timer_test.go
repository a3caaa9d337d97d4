//go:build linux

package epoll_test

import (
	"context"
	"fmt"
	"time"

	"github.com/plait-go/plait/epoll"
)

// Timers fire in the order of their times, never early. A Loop that is drained
// from the beginning ends with the last of them.
func ExampleLoop_After() {
	loop, err := epoll.New(nil)
	check(err)
	loop.After(2*time.Millisecond, func() { fmt.Println("third") })
	loop.After(time.Millisecond, func() { fmt.Println("second") })
	loop.After(0, func() { fmt.Println("first") })
	late := loop.After(time.Hour, func() { fmt.Println("never") })
	fmt.Println("stopped:", late.Stop())
	fmt.Println("again:", late.Stop())
	loop.Drain(nil)
	check(loop.Run(context.Background()))
	// Output:
	// stopped: true
	// again: false
	// first
	// second
	// third
}

// A Timer of Every goes on until it is stopped, by its own function here.
func ExampleLoop_Every() {
	loop, err := epoll.New(nil)
	check(err)
	var tick *epoll.Timer
	n := 0
	tick = loop.Every(time.Millisecond, func() {
		n++
		fmt.Println("tick", n)
		if n == 3 {
			tick.Stop()
		}
	})
	loop.Drain(nil)
	check(loop.Run(context.Background()))
	// Output:
	// tick 1
	// tick 2
	// tick 3
}

// One Timer for tries that come less and less often.
func ExampleTimer_Reset() {
	loop, err := epoll.New(nil)
	check(err)
	delay := time.Millisecond
	var retry *epoll.Timer
	retry = loop.After(0, func() {
		if delay > 4*time.Millisecond {
			fmt.Println("given up")
			return
		}
		fmt.Println("failed, again in", delay)
		retry.Reset(delay)
		delay *= 2
	})
	loop.Drain(nil)
	check(loop.Run(context.Background()))
	// Output:
	// failed, again in 1ms
	// failed, again in 2ms
	// failed, again in 4ms
	// given up
}
