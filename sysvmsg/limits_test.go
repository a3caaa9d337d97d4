//go:build linux

package sysvmsg_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

// setLimit sets a limit of the IPC namespace.
func setLimit(name string, n int) error {
	return os.WriteFile("/proc/sys/kernel/"+name, []byte(strconv.Itoa(n)), 0)
}

// narrowLimits is a child that has an IPC namespace for itself, with other limits
// than usual.
func narrowLimits() error {
	if err := errors.Join(setLimit("msgmnb", 1<<20), setLimit("msgmax", 256<<10), setLimit("msgmni", 1)); err != nil {
		return say("skip: %v", err)
	}
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		return err
	}
	_, second := sysvmsg.Open(sysvmsg.Private, nil)
	err = matches("Open of one more than kernel.msgmni", second, unix.ENOSPC)
	if text := fmt.Sprint(second); !strings.Contains(text, "kernel.msgmni allows, 1:") {
		err = errors.Join(err, fmt.Errorf("Open = %q; want it to name kernel.msgmni", text))
	}
	err = errors.Join(err, largeMessages(q), smallerMax(q), q.Remove())
	if err != nil {
		return err
	}
	return say("done")
}

// largeMessages sends messages of sizes that are not usual.
func largeMessages(q *sysvmsg.Queue) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	buf := make([]byte, 300<<10)
	for _, size := range []int{8191, 8192, 8193, 64 << 10, 64<<10 + 1, 256 << 10} {
		p := bytes.Repeat([]byte{byte(size), byte(size >> 8), 'x'}, size)[:size]
		if err := q.Send(ctx, 1, p); err != nil {
			return err
		}
		_, _, short := q.TryReceive(sysvmsg.Any(), buf[:size-1])
		var e *sysvmsg.ShortBufferError
		if !errors.As(short, &e) || e.Size != size && e.Size != 0 {
			return fmt.Errorf("TryReceive(%d bytes) of %d = %w; want that size", size-1, size, short)
		}
		for _, receive := range []func() (int, sysvmsg.Type, error){
			func() (int, sysvmsg.Type, error) { return q.Peek(0, buf[:size]) },
			func() (int, sysvmsg.Type, error) { return q.TryReceive(sysvmsg.Exact(1), buf) },
			func() (int, sysvmsg.Type, error) { return q.Receive(ctx, sysvmsg.Exact(1), buf[:size]) },
		} {
			if n, _, err := receive(); !errors.Is(err, errors.ErrUnsupported) && (err != nil || !bytes.Equal(buf[:n], p)) {
				return fmt.Errorf("received %d bytes of %d, %w; want the same", n, size, err)
			}
			clear(buf)
			if s, err := q.Stat(); err != nil || s.Messages > 0 {
				continue
			}
			if err := q.Send(ctx, 1, p); err != nil {
				return err
			}
		}
		if _, err := q.Discard(sysvmsg.Any()); err != nil {
			return err
		}
	}
	return matches("TrySend of more", q.TrySend(1, make([]byte, 256<<10+1)), sysvmsg.ErrTooLarge)
}

// smallerMax sends and receives what has become too large.
func smallerMax(q *sysvmsg.Queue) error {
	buf := make([]byte, 5000)
	err := errors.Join(q.TrySend(1, buf), setLimit("msgmax", 100))
	_, _, short := q.TryReceive(sysvmsg.Any(), buf[:4999])
	n, _, receive := q.TryReceive(sysvmsg.Any(), buf)
	if n != 5000 {
		receive = errors.Join(receive, fmt.Errorf("received %d bytes; want 5000", n))
	}
	limits, info := sysvmsg.ReadLimits()
	if want := (sysvmsg.Limits{Message: 100, Capacity: 1 << 20, Queues: 1}); limits != want {
		info = errors.Join(info, fmt.Errorf("limits %+v; want %+v", limits, want))
	}
	return errors.Join(
		err, receive, info,
		matches("TrySend(100 bytes)", q.TrySend(1, buf[:100]), nil),
		matches("TrySend(101 bytes)", q.TrySend(1, buf[:101]), sysvmsg.ErrTooLarge),
		matches("TryReceive(4999 bytes)", short, io.ErrShortBuffer),
	)
}

// What is not as usual is tried in an IPC namespace of its own.
func TestOtherLimits(t *testing.T) {
	checkLeaks(t)
	if os.Geteuid() != 0 {
		t.Skip("it takes root to have other limits")
	}
	c := startChild(t, "limits", 0, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWIPC})
	answer := c.hear(t)
	c.end(t)
	if reason, skip := strings.CutPrefix(answer, "skip: "); skip {
		t.Skipf("other limits cannot be set here: %s", reason)
	}
}
