//go:build linux

package sysvmsg_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/plait-go/plait/sysvmsg"
)

// Two processes that know the same file have a queue in common.
func Example() {
	folder, err := os.MkdirTemp("", "tasks")
	check(err)
	defer func() { check(os.Remove(folder)) }()
	key, err := sysvmsg.FileKey(folder, 'T')
	check(err)

	q, err := sysvmsg.Open(key, nil)
	check(err)
	defer func() { check(q.Remove()) }()
	check(q.Send(context.Background(), 1, []byte("resize 17.png")))

	same, err := sysvmsg.Open(key, nil) // in another process, mostly
	check(err)
	buf := make([]byte, 8192)
	n, t, err := same.Receive(context.Background(), sysvmsg.Any(), buf)
	check(err)
	fmt.Printf("%s, type %d\n", buf[:n], t)
	// Output:
	// resize 17.png, type 1
}

// Types as priorities: the lowest comes first, and within a type the oldest.
func ExampleLowest() {
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	check(err)
	defer func() { check(q.Remove()) }()
	const urgent, normal, idle = 1, 5, 9
	check(q.TrySend(idle, []byte("clean up")))
	check(q.TrySend(normal, []byte("resize 17.png")))
	check(q.TrySend(urgent, []byte("reload")))
	check(q.TrySend(normal, []byte("resize 18.png")))

	buf := make([]byte, 8192)
	for {
		n, t, err := q.TryReceive(sysvmsg.Lowest(normal), buf) // the idle ones stay
		if errors.Is(err, sysvmsg.ErrEmpty) {
			break
		}
		check(err)
		fmt.Printf("%d %s\n", t, buf[:n])
	}
	// Output:
	// 1 reload
	// 5 resize 17.png
	// 5 resize 18.png
}

// What is in the queue stays there when all its users have ended. The next run finds
// it, and can tell.
func ExampleQueue_Created() {
	file := filepath.Join(os.TempDir(), fmt.Sprintf("tasks-%d", os.Getpid()))
	check(os.WriteFile(file, nil, 0o600))
	defer func() { check(os.Remove(file)) }()
	key, err := sysvmsg.FileKey(file, 'T')
	check(err)
	for run := range 2 {
		q, err := sysvmsg.Open(key, nil)
		check(err)
		if q.Created() {
			check(q.TrySend(1, []byte("half done")))
			continue // the end of the first run
		}
		s, err := q.Stat()
		check(err)
		fmt.Printf("run %d: %d messages of an earlier one\n", run, s.Messages)
		check(q.Remove())
	}
	// Output:
	// run 1: 1 messages of an earlier one
}

// Receive ends with its context. No message is lost by that.
func ExampleQueue_Receive_cancel() {
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	check(err)
	defer func() { check(q.Remove()) }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()

	buf := make([]byte, 8192)
	_, _, err = q.Receive(ctx, sysvmsg.Any(), buf)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	check(q.TrySend(1, []byte("late")))
	n, _, err := q.Receive(context.Background(), sysvmsg.Any(), buf)
	fmt.Printf("%s %v\n", buf[:n], err)
	// Output:
	// true
	// late <nil>
}

// An example has nobody to return an error to.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
