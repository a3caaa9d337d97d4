//go:build linux

package procpool_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/userprocess"
)

// shout is a worker that carries out tasks from a queue of the system, of type 1, and
// leaves the results there, of type 2.
func shout(ctx context.Context, w *procpool.Worker) error {
	id, err := strconv.Atoi(w.Args()[0])
	if err != nil {
		return err
	}
	q, err := sysvmsg.OpenID(id)
	if err != nil {
		return err
	}
	if err := w.Ready(); err != nil {
		return err
	}
	return w.Consume(ctx, q.Source(sysvmsg.Exact(1)), func(ctx context.Context, message []byte) error {
		return q.Send(ctx, 2, bytes.ToUpper(message))
	})
}

// Tasks in a System V queue, which survive all who handle them: they are submitted
// before there is a worker, by anybody who has the queue.
func ExampleWorker_Consume() {
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { fmt.Println(q.Remove()) }()
	fmt.Println(q.Send(context.Background(), 1, []byte("resize 17.png")))
	group := &procpool.Group{Name: "shout", Command: userprocess.Command{Role: "shout", Args: []string{strconv.Itoa(q.ID())}}}
	pool, err := procpool.New([]*procpool.Group{group}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- pool.Run(ctx) }()
	result, err := q.Source(sysvmsg.Exact(2)).Next(ctx)
	fmt.Printf("%s, %v\n", result, err)
	stop()
	fmt.Println(<-done)
	// Output:
	// <nil>
	// RESIZE 17.PNG, <nil>
	// <nil>
	// <nil>
}
