//go:build linux

package task_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/lane"
	"github.com/plait-go/plait/procpool/task"
)

// Tasks and replies of any size up to the limit, and no larger ones.
func TestDo(t *testing.T) {
	r := newRig(t, 2, 0, nil)
	var n int64
	for _, size := range []int{0, 1, 64, lane.Piece, lane.Piece + 1, 1 << 20, lane.DefaultMax - 5} {
		text := bytes.Repeat([]byte("x"), size)
		got, err := r.Do(t.Context(), append([]byte("echo "), text...))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("a task of %d bytes: a reply of %d, %v", size, len(got), err)
		}
		n++
	}
	if got, err := r.Do(t.Context(), fmt.Append(nil, "size ", lane.DefaultMax)); err != nil || len(got) != lane.DefaultMax {
		t.Errorf("the longest reply has %d bytes, %v", len(got), err)
	}
	if got, err := r.Do(t.Context(), nil); !isFailed(err, "") {
		t.Errorf("a task of 0 bytes: %q, %v", got, err)
	}
	if _, err := r.Do(t.Context(), make([]byte, lane.DefaultMax+1)); !errors.Is(err, lane.ErrTooLong) {
		t.Errorf("a task that is too long: %v", err)
	}
	failed := new(dispatch.FailedError)
	if _, err := r.Do(t.Context(), fmt.Append(nil, "size ", lane.DefaultMax+1)); !errors.As(err, &failed) || !strings.Contains(failed.Text, "16777216") {
		t.Errorf("a reply that is too long: %v", err)
	}
	if _, err := r.Do(t.Context(), []byte("fail by design")); !isFailed(err, "by design") {
		t.Errorf("fail: %v", err)
	}
	r.balanced(t, n+4)
}

// Somebody who gives up gets the cause, and the next one its own reply.
func TestDoUntilTheContextEnds(t *testing.T) {
	r := newRig(t, 1, 0, nil)
	path := fifo(t)
	cause := errors.New("enough")
	ctx, giveUp := context.WithCancelCause(t.Context())
	go giveUp(cause) // ends at once
	if got, err := r.Do(ctx, []byte("wait "+path)); err != cause || got != nil {
		t.Errorf("Do = %q, %v; want the cause", got, err)
	}
	go func() { _ = os.WriteFile(path, []byte("go"), 0) }() // ends when the task has read it
	if got, err := r.Do(t.Context(), []byte("echo mine")); err != nil || string(got) != "mine" {
		t.Errorf("the next Do = %q, %v; want its own reply", got, err)
	}
	if s := r.Queue.Stats(); s.Late != 1 || s.Answered != 2 {
		t.Errorf("%+v; want 1 late", s)
	}
}

// Partial results: what is there when the context ends.
func TestMany(t *testing.T) {
	r := newRig(t, 2, 0, nil)
	path := fifo(t)
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	payloads := [][]byte{[]byte("echo a"), []byte("wait " + path), []byte("fail b"), []byte("echo c")}
	go func() { // ends before the test, or never waits
		for r.Queue.Stats().Answered < 2 || r.Queue.Stats().Failed < 1 {
			if ctx.Err() != nil {
				return
			}
		}
		giveUp()
	}()
	got := r.Many(ctx, payloads)
	if string(got[0].Reply) != "a" || !errors.Is(got[1].Err, context.Canceled) || !isFailed(got[2].Err, "b") || string(got[3].Reply) != "c" {
		t.Errorf("Many = %q", got)
	}
	if err := os.WriteFile(path, []byte("go"), 0); err != nil {
		t.Fatal(err)
	}
	if got := r.Many(t.Context(), nil); len(got) != 0 {
		t.Errorf("Many of none = %q", got)
	}
}

// A submission never blocks, however many wait, and tasks are carried out in order.
func TestSubmitInOrder(t *testing.T) {
	r := newRig(t, 1, 0, nil)
	path := fifo(t)
	done := make(chan string, 2049)
	for i := range 2049 {
		text := fmt.Sprint("echo ", i)
		if i == 0 {
			text = "wait " + path
		}
		r.Submit([]byte(text), func(r task.Result) { done <- fmt.Sprintf("%s %v", r.Reply, r.Err) })
	}
	if s := r.Queue.Stats(); s.Submitted != 2049 || s.Waiting != 2048 {
		t.Errorf("%+v; want 2049 submitted, and 2048 waiting", s)
	}
	if err := os.WriteFile(path, []byte("go"), 0); err != nil {
		t.Fatal(err)
	}
	<-done
	for i := 1; i < 2049; i++ {
		if got, want := <-done, fmt.Sprint(i, " <nil>"); got != want {
			t.Fatalf("outcome %d = %q, want %q", i, got, want)
		}
	}
	r.balanced(t, 2049)
}

// The bytes that wait are limited.
func TestFull(t *testing.T) {
	r := newRig(t, 1, 1, &task.Options{QueueBytes: 1000})
	path := fifo(t)
	done := make(chan error, 10)
	for _, text := range []string{"wait " + path, "echo " + strings.Repeat("x", 800), "echo " + strings.Repeat("x", 200)} {
		r.Submit([]byte(text), func(r task.Result) { done <- r.Err })
	}
	if err := <-done; !errors.Is(err, dispatch.ErrFull) {
		t.Errorf("the first that is done: %v, want ErrFull", err)
	}
	if _, err := r.ask(t, "do echo "+strings.Repeat("x", 200)); !isFailed(err, dispatch.ErrFull.Error()) {
		t.Errorf("a worker's task: %v, want ErrFull", err)
	}
	if _, err := r.ask(t, "tell echo "+strings.Repeat("x", 200)); !isFailed(err, dispatch.ErrFull.Error()) {
		t.Errorf("a worker's task: %v, want ErrFull", err)
	}
	if err := os.WriteFile(path, []byte("go"), 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Errorf("those that were taken: %v", err)
	}
	r.balanced(t, 2)
}

// What workers submit: one, many at a time, and those that they are told of.
func TestWorkersSubmit(t *testing.T) {
	r := newRig(t, 2, 1, nil)
	if got, err := r.ask(t, "do echo hello"); err != nil || got != "hello" {
		t.Errorf("do = %q, %v", got, err)
	}
	if _, err := r.ask(t, "do fail by design"); !isFailed(err, "by design") {
		t.Errorf("do fail: %v", err)
	}
	if got, err := r.ask(t, "many 100 echo "); err != nil || binary.LittleEndian.Uint64([]byte(got)) != 100 {
		t.Errorf("many = %q, %v", got, err)
	}
	number, err := r.ask(t, "tell echo told")
	if err != nil {
		t.Fatal(err)
	}
	want := number + " told <nil>\n"
	failed, err := r.ask(t, "tell fail never")
	if err != nil {
		t.Fatal(err)
	}
	want2 := failed + "  never\n"
	for got := ""; got != want+want2 && got != want2+want; {
		if got, err = r.ask(t, "told"); err != nil || len(got) > len(want+want2) {
			t.Fatalf("told = %q, %v; want %q", got, err, want+want2)
		}
	}
	for r.Queue.Stats().Told != 2 { // which is counted when that has been answered
		runtime.Gosched()
	}
	r.balanced(t, 104)
}

// A worker dies that waits for tasks: who takes its place is told of what it has
// submitted.
func TestSubmitterDies(t *testing.T) {
	r := newRig(t, 1, 1, nil)
	path := fifo(t)
	if _, err := r.ask(t, "tell wait "+path); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Status() {
		if s.Group == "worker" {
			if p, err := os.FindProcess(s.PID); err != nil || p.Kill() != nil {
				t.Fatal("cannot kill", s.PID)
			}
		}
	}
	r.until(t, procpool.Exited)
	r.until(t, procpool.Ready)
	if err := os.WriteFile(path, []byte("go"), 0); err != nil {
		t.Fatal(err)
	}
	var got string
	for deadline := time.Now().Add(patience); got == "" && time.Now().Before(deadline); {
		var err error
		if got, err = r.ask(t, "told"); err != nil {
			t.Fatal(err)
		}
	}
	if want := "0 " + path + " <nil>\n"; got != want {
		t.Errorf("told = %q, want %q", got, want)
	}
}

// A task worker dies: what it had begun is lost, or carried out once more, and nothing
// else.
func TestTaskWorkerDies(t *testing.T) {
	t.Run("lost", func(t *testing.T) {
		r := newRig(t, 1, 0, nil)
		got := r.Many(t.Context(), [][]byte{[]byte("echo a"), []byte("die"), []byte("echo b"), []byte("echo c")})
		if string(got[0].Reply) != "a" || !errors.Is(got[1].Err, dispatch.ErrLost) || string(got[2].Reply) != "b" || string(got[3].Reply) != "c" {
			t.Errorf("Many = %q", got)
		}
		r.balanced(t, 4)
	})
	t.Run("redelivered", func(t *testing.T) {
		r := newRig(t, 1, 0, &task.Options{Redeliver: true})
		path := filepath.Join(t.TempDir(), "mark")
		got := r.Many(t.Context(), [][]byte{[]byte("echo a"), []byte("once " + path), []byte("echo b"), []byte("die")})
		if string(got[0].Reply) != "a" || string(got[1].Reply) != path || string(got[2].Reply) != "b" || !errors.Is(got[3].Err, dispatch.ErrLost) {
			t.Errorf("Many = %q", got)
		}
		if s := r.Queue.Stats(); s.Lost != 1 || s.Redelivered != 2 {
			t.Errorf("%+v; want 1 lost, and 2 redelivered", s)
		}
		r.balanced(t, 4)
	})
}
