//go:build linux

package procpool_test

import (
	"context"
	"fmt"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

// greet is a worker that answers messages. Main was told of it as
// "greet": procpool.Work(greet).
func greet(ctx context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	return w.Messages(ctx, func(ctx context.Context, m procpool.Message) error {
		return w.Send(ctx, m.From, fmt.Append(nil, "hello ", string(m.Payload)))
	})
}

// Two workers that are kept alive, and answer messages.
func ExamplePool_Send() {
	group := &procpool.Group{Name: "greeters", Count: 2, Command: userprocess.Command{Role: "greet"}}
	ready := make(chan bool, 2)
	pool, err := procpool.New([]*procpool.Group{group}, &procpool.Options{Event: func(e procpool.Event) {
		if e.Kind == procpool.Ready {
			ready <- true
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- pool.Run(ctx) }()
	for slot := range 2 {
		<-ready
		if err := pool.Send(ctx, procpool.Address{Group: "greeters", Slot: slot}, []byte("you")); err != nil {
			fmt.Println(err)
		}
		m, err := pool.Receive(ctx)
		fmt.Printf("%s, from slot %d, %v\n", m.Payload, m.From.Slot, err)
	}
	stop()
	fmt.Println(<-done)
	// Output:
	// hello you, from slot 0, <nil>
	// hello you, from slot 1, <nil>
	// <nil>
}

// What happens when a worker is replaced.
func ExamplePool_Reload() {
	group := &procpool.Group{Name: "greeters", Command: userprocess.Command{Role: "greet"}}
	ready := make(chan bool, 2)
	pool, err := procpool.New([]*procpool.Group{group}, &procpool.Options{Event: func(e procpool.Event) {
		e.PID = 0 // is another one each time
		fmt.Println(e)
		if e.Kind == procpool.Ready {
			ready <- true
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		<-ready
		_ = pool.Reload(ctx) // the events tell
		stop()
	}()
	_ = pool.Run(ctx) // as above
	// Output:
	// greeters 0.1 started
	// greeters 0.1 ready
	// reloading
	// greeters 0.2 started
	// greeters 0.2 ready
	// greeters 0.1 draining
	// greeters 0.1 exited: exit code 0
	// reloaded
	// pool stopping
	// greeters 0.2 draining
	// greeters 0.2 exited: exit code 0
}
