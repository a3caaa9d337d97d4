//go:build linux

package task_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/procpool/task"
	"github.com/plait-go/plait/userprocess"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the workers
	userprocess.Main(userprocess.Roles{
		"task":   procpool.Work(carryOut),
		"worker": procpool.Work(submit),
	})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD) // starts a goroutine that never ends
	signal.Stop(signals)
	m.Run()
}

// carryOut is a task worker. A task is a word, and what it is about:
//
//	echo TEXT    TEXT
//	size N       so many bytes
//	fail TEXT    an error
//	wait FILE    as echo, when somebody has written to that FIFO
//	die          SIGKILL
//	once FILE    SIGKILL, but for the second time
func carryOut(_ context.Context, w *procpool.Worker) error {
	return w.Serve(func(r *lane.Request) {
		reply, err := do(string(r.Payload))
		if err != nil {
			_ = r.Fail(err) // the manager tells
			return
		}
		_ = r.Reply(reply) // as above
	})
}

func do(text string) ([]byte, error) {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "echo":
		return []byte(rest), nil
	case "size":
		n, err := strconv.Atoi(rest)
		return make([]byte, n), err
	case "wait":
		_, err := os.ReadFile(rest)
		return []byte(rest), err
	case "once":
		if _, err := os.Stat(rest); err == nil {
			return []byte(rest), nil
		}
		if err := os.WriteFile(rest, nil, 0o600); err != nil {
			return nil, err
		}
		fallthrough
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // it cannot fail
		select {}
	}
	return nil, errors.New(rest)
}

// submit is a worker that submits tasks for the test. A request is a word, and a task:
//
//	do TASK      the reply
//	many N TASK  the number of replies that are as long as the first
//	flood N TASK the same, of one task, in which 64 are waited for at a time
//	tell TASK    its number, when it is submitted
//	told         the outcomes of those so far, one after the other
func submit(ctx context.Context, w *procpool.Worker) error {
	var told []byte
	tasks, err := task.NewClient(w, "", func(number uint64, r task.Result) {
		told = fmt.Appendf(told, "%d %s %v\n", number, r.Reply, r.Err)
	})
	if err != nil {
		return err
	}
	return w.Serve(func(r *lane.Request) {
		word, rest, _ := strings.Cut(string(r.Payload), " ")
		var reply []byte
		var err error
		switch word {
		case "do":
			reply, err = tasks.Do(ctx, []byte(rest))
		case "many":
			reply, err = many(ctx, tasks, rest)
		case "flood":
			reply, err = flood(ctx, tasks, rest)
		case "tell":
			var number uint64
			number, err = tasks.Submit(ctx, []byte(rest))
			reply = strconv.AppendUint(nil, number, 10)
		case "told":
			reply = told
		}
		if err != nil {
			_ = r.Fail(err) // as above
			return
		}
		_ = r.Reply(reply) // as above
	})
}

func many(ctx context.Context, tasks *task.Client, args string) (reply []byte, err error) {
	count, text, _ := strings.Cut(args, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	payloads := make([][]byte, n)
	for i := range payloads {
		payloads[i] = fmt.Append(nil, text, i)
	}
	var answered uint64
	for i, r := range tasks.Many(ctx, payloads) {
		if r.Err == nil && "echo "+string(r.Reply) == string(payloads[i]) {
			answered++
		}
	}
	return binary.LittleEndian.AppendUint64(nil, answered), nil
}

func flood(ctx context.Context, tasks *task.Client, args string) (reply []byte, err error) {
	count, text, _ := strings.Cut(args, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	var next, answered atomic.Int64
	var all sync.WaitGroup
	for range inFlight {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				if _, err := tasks.Do(ctx, []byte(text)); err == nil {
					answered.Add(1)
				}
			}
		})
	}
	all.Wait()
	return binary.LittleEndian.AppendUint64(nil, uint64(answered.Load())), nil
}
