//go:build linux

package ipc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// A measure is what a message of a Task took, in ns, and how many objects were
// allocated for it.
type measure struct{ wall, cpu, p50, p99, allocs float64 }

// least returns the least of each, but the most allocations.
func (m measure) least(o measure) measure {
	return measure{
		min(m.wall, o.wall), min(m.cpu, o.cpu), min(m.p50, o.p50), min(m.p99, o.p99), max(m.allocs, o.allocs),
	}
}

// limit bounds the lives of the processes of a Task.
const limit = time.Minute

// run has two processes do t.
func run(t Task) (m measure, err error) {
	ends, release, err := connect(&t)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, release()) }()
	ctx, kill := context.WithTimeout(context.Background(), limit)
	defer kill()
	there := t
	there.Out, there.In = t.In, t.Out
	receiver, err := start(ctx, job{Task: there}, ends[0])
	if err != nil {
		return m, fmt.Errorf("%s: %w", t.Way, err)
	}
	sender, err := start(ctx, job{Task: t, Sender: true}, ends[1])
	if err != nil {
		kill()
		return m, errors.Join(fmt.Errorf("%s: %w", t.Way, err), receiver.close())
	}
	sent, received, err := exchange(sender, receiver, kill)
	if late := ctx.Err(); errors.Is(late, context.DeadlineExceeded) {
		err = fmt.Errorf("not done in %v: %w", limit, late)
	}
	err = errors.Join(err, sender.close(), receiver.close())
	if err != nil {
		return m, fmt.Errorf("%s: %w", t.Way, err)
	}
	n := float64(t.Messages)
	m = measure{
		wall:   float64(received.To-sent.From) / n,
		cpu:    float64(sent.CPU+received.CPU) / n,
		p50:    sent.P50,
		p99:    sent.P99,
		allocs: float64(sent.Mallocs+received.Mallocs) / n,
	}
	return m, nil
}

// exchange has both begin, and waits for both. If one fails the other may wait for
// ever, so both are killed.
func exchange(sender, receiver *process, kill func()) (sent, received report, err error) {
	if err := errors.Join(receiver.begin(), sender.begin()); err != nil {
		kill()
		return sent, received, err
	}
	failed := make(chan error, 1)
	go func() { // until the sender has said something, or has ended
		var err error
		if sent, err = sender.report(); err != nil {
			kill()
		}
		failed <- err
	}()
	received, err = receiver.report()
	if err != nil {
		kill()
	}
	return sent, received, errors.Join(<-failed, err)
}

// connect makes the ends that both processes of t need, and returns what lets go of
// them.
func connect(t *Task) (ends [2]*os.File, release func() error, err error) {
	if t.Kind == "" {
		release, err = makeQueues(t)
		return ends, release, err
	}
	types := map[string]int{"stream": unix.SOCK_STREAM, "datagram": unix.SOCK_DGRAM, "seqpacket": unix.SOCK_SEQPACKET}
	fds, err := unix.Socketpair(unix.AF_UNIX, types[t.Kind]|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ends, nil, os.NewSyscallError("socketpair", err)
	}
	for i, fd := range fds {
		ends[i] = os.NewFile(uintptr(fd), "socket")
	}
	return ends, func() error { return errors.Join(ends[0].Close(), ends[1].Close()) }, nil
}

// makeQueues makes the queues of t, and returns what removes them.
func makeQueues(t *Task) (release func() error, err error) {
	out, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		return nil, err
	}
	in, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		return nil, errors.Join(err, out.Remove())
	}
	t.Out, t.In = out.ID(), in.ID()
	return func() error { return errors.Join(out.Remove(), in.Remove()) }, nil
}
