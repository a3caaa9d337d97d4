//go:build linux

package task_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/procpool/dispatch"
	"github.com/plait-go/plait/procpool/task"
)

// burst submits n tasks, and returns how many have come to their reply, and how many
// were lost.
func (r *rig) burst(t *testing.T, n int) (answered, lost int) {
	t.Helper()
	payloads := make([][]byte, n)
	for i := range payloads {
		payloads[i] = fmt.Append(nil, "echo ", i)
	}
	for i, result := range r.Many(t.Context(), payloads) {
		switch {
		case result.Err == nil && string(result.Reply) == fmt.Sprint(i):
			answered++
		case errors.Is(result.Err, dispatch.ErrLost):
			lost++
		default:
			t.Fatalf("task %d: %q, %v", i, result.Reply, result.Err)
		}
	}
	return answered, lost
}

// Workers that retire after 100 tasks: each task is carried out once.
func TestWorkersRetire(t *testing.T) {
	r := newRigOf(t, &procpool.Group{Count: 3, Requests: 100, Jitter: 10}, 0, nil)
	if answered, lost := r.burst(t, 4000); answered != 4000 || lost != 0 {
		t.Errorf("%d answered, %d lost; want 4000 answered", answered, lost)
	}
	if c := r.Counters(); c.Starts <= 15 {
		t.Errorf("%d starts, want more than 15", c.Starts)
	}
	r.balanced(t, 4000)
}

// Workers are replaced while tasks come.
func TestReloadWithTasks(t *testing.T) {
	r := newRig(t, 2, 0, &task.Options{Window: 16})
	done := make(chan error, 1)
	go func() { // ends with the reloads
		var err error
		for range 3 {
			err = errors.Join(err, r.Reload(t.Context(), "task"))
		}
		done <- err
	}()
	var all int64
	for ended := false; !ended; {
		answered, lost := r.burst(t, 500)
		if answered != 500 {
			t.Errorf("%d answered, %d lost; want 500 answered", answered, lost)
		}
		all += 500
		select {
		case err := <-done:
			if ended = true; err != nil {
				t.Error(err)
			}
		default:
		}
	}
	r.balanced(t, all)
}

// Task workers are killed with tasks in flight: those are reported once that one of
// them had begun, or all carried out.
func TestKillsWithTasks(t *testing.T) {
	for _, redeliver := range []bool{false, true} {
		t.Run(fmt.Sprintf("redeliver=%v", redeliver), func(t *testing.T) {
			r := newRig(t, 3, 0, &task.Options{Window: 16, Redeliver: redeliver})
			const kills, tasks = 6, 3000
			done := make(chan error, 1)
			go func() { done <- r.killSome(kills) }() // ends with the kills
			var all, lost int64
			for ended := false; !ended; {
				_, l := r.burst(t, tasks)
				all, lost = all+tasks, lost+int64(l)
				select {
				case err := <-done:
					if ended = true; err != nil {
						t.Error(err)
					}
				default:
				}
			}
			r.balanced(t, all)
			s := r.Queue.Stats()
			t.Logf("%d kills, %d tasks: %d lost, %d redelivered, %d sent again", kills, all, lost, s.Redelivered, s.Resent)
			if s.Lost != lost || s.Broken != 0 || redeliver && lost > 0 {
				t.Errorf("%+v; %d were reported as lost", s, lost)
			}
		})
	}
}

// killSome kills workers, and waits for the next one each time.
func (r *rig) killSome(kills int) error {
	for range kills {
		victim := r.Status()[rand.IntN(3)]
		p, err := os.FindProcess(victim.PID)
		if err != nil {
			return err
		}
		if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		for e := range r.events {
			if e.Kind == procpool.Ready {
				break
			}
		}
	}
	return nil
}
