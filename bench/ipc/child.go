//go:build linux

package ipc

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// jobKey is the environment variable that has the job of a child, as JSON.
const jobKey = "PLAIT_IPC_JOB"

// socket is the descriptor of a child's end, behind the three that every process
// has.
const socket = 3

// A job is what a child does.
type job struct {
	Task
	Sender bool
}

// A report is what a child says: when it is ready, an empty one, and when it is
// done.
type report struct {
	Err      string
	From, To int64   // CLOCK_MONOTONIC, ns
	CPU      int64   // ns, of all threads
	Mallocs  uint64  // objects allocated
	P50, P99 float64 // ns; the sender's, of a PingPong
}

// Child does the job that this process was started for, and reports whether it was
// started for one. It returns when the one who started the process is done with it.
func Child() bool {
	text, ok := os.LookupEnv(jobKey)
	if !ok {
		return false
	}
	say := json.NewEncoder(os.Stdout)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run, err := prepare(ctx, text)
	if err != nil {
		_ = say.Encode(report{Err: err.Error()}) // nobody else could be told
		return true
	}
	_ = say.Encode(report{})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		go func() { _ = say.Encode(run()) }() // ends with the process
	}
	return true
}

// prepare opens the end that a job needs, and returns what does the job.
func prepare(ctx context.Context, text string) (func() report, error) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return nil, err
	}
	var f *os.File
	if j.Kind != "" {
		f = os.NewFile(socket, "socket")
	}
	e, err := open(ctx, j.Task, f)
	if err != nil {
		return nil, err
	}
	var act func() error
	var times []int64
	switch {
	case j.Work == OneWay && j.Sender:
		act = func() error { return send(e, j.Task) }
	case j.Work == OneWay:
		act = func() error { return receive(e, j.Task) }
	case j.Work == PingPong && j.Sender:
		times = make([]int64, j.Messages)
		act = func() error { return ping(e, j.Task, times) }
	case j.Work == PingPong:
		act = func() error { return pong(e, j.Task) }
	default:
		return nil, fmt.Errorf("ipc: there is no work %d", j.Work)
	}
	return func() report {
		defer runtime.KeepAlive(f) // its end has the descriptor only
		r := measured(act)
		r.P50, r.P99 = quantile(times, 0.5), quantile(times, 0.99)
		return r
	}, nil
}

// measured calls act and says what it took.
func measured(act func() error) report {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := processorTime()
	from := now()
	err := act()
	to := now()
	cpu = processorTime() - cpu
	runtime.ReadMemStats(&after)
	r := report{From: from, To: to, CPU: cpu, Mallocs: after.Mallocs - before.Mallocs}
	if err != nil {
		r.Err = err.Error()
	}
	return r
}

// now returns the time of a clock that all processes share, in ns.
func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // it cannot fail
	return ts.Nano()
}

// processorTime returns what all threads have taken so far, in ns.
func processorTime() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) // it cannot fail
	return ts.Nano()
}
