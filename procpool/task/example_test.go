//go:build linux

package task_test

import (
	"context"
	"fmt"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/task"
	"github.com/plait-go/plait/userprocess"
)

// The manager has workers carry out tasks. They run carryOut, which serves a handler:
//
//	return w.Serve(func(r *lane.Request) { … r.Reply(reply) })
func ExampleQueue_Do() {
	group := &procpool.Group{Name: "task", Count: 2, Command: userprocess.Command{Role: "task"}}
	pool, err := procpool.New([]*procpool.Group{group}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	tasks, err := task.New(pool, "task", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- pool.Run(ctx) }()
	reply, err := tasks.Do(ctx, []byte("echo resized"))
	fmt.Printf("%s, %v\n", reply, err)
	_, err = tasks.Do(ctx, []byte("die"))
	fmt.Println(err)
	for _, r := range tasks.Many(ctx, [][]byte{[]byte("echo one"), []byte("fail by design"), []byte("echo three")}) {
		fmt.Printf("%s, %v\n", r.Reply, r.Err)
	}
	stop()
	fmt.Println(<-done)
	// Output:
	// resized, <nil>
	// request lost
	// one, <nil>
	// , by design
	// three, <nil>
	// <nil>
}
