//go:build linux

package ipc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/bench/ipc"
)

// TestMain is the whole run of a process that was started as one end.
func TestMain(m *testing.M) {
	if !ipc.Child() {
		m.Run()
	}
}

// clean checks that the test leaves no child and no descriptor behind.
func clean(tb testing.TB) {
	tb.Helper()
	if t, ok := tb.(*testing.T); ok {
		t.Setenv("GORACE", "atexit_sleep_ms=0") // children sleep for a second otherwise
	}
	// The runtime's poller has descriptors, too, from its first use on.
	r, w, err := os.Pipe()
	if err := errors.Join(err, r.Close(), w.Close()); err != nil {
		tb.Fatal(err)
	}
	before := descriptors(tb)
	tb.Cleanup(func() {
		if after := descriptors(tb); after != before {
			tb.Errorf("%d descriptors; there were %d", after, before)
		}
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
			tb.Errorf("Wait4 = %d, %v; want %v", pid, err, unix.ECHILD)
		}
	})
}

// descriptors returns how many descriptors the process has.
func descriptors(tb testing.TB) int {
	tb.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Fatal(err)
	}
	return len(list)
}

// TestWays has each way deliver some messages.
func TestWays(t *testing.T) {
	list := []ipc.Task{
		{Way: "framed", Kind: "stream", Size: 1 << 10},
		{Way: "sendmsg", Kind: "seqpacket", Size: 16, FDs: 3},
		{Way: "sendfds", Kind: "seqpacket", Size: 16, FDs: 3},
		{Way: "uds", Kind: "datagram", Size: 64 << 10, Buffer: 1 << 20},
		{Way: "chunk", Kind: "seqpacket", Size: 256 << 10},
		{Way: "memfd", Kind: "seqpacket", Size: 64<<10 + 24},
	}
	for _, kind := range []string{"stream", "datagram", "seqpacket"} {
		for _, way := range []string{"raw", "rawsyscall", "net", "uds"} {
			list = append(list,
				ipc.Task{Way: way, Kind: kind, Size: 1 << 10},
				ipc.Task{Way: way, Kind: kind, Size: 1 << 10, Work: ipc.PingPong, OneCPU: true})
		}
		list = append(list, ipc.Task{Way: "packed", Kind: kind, Size: 1 << 10})
	}
	list = append(list,
		ipc.Task{Way: "inbox", Kind: "seqpacket", Size: 1 << 10},
		ipc.Task{Way: "inbox", Kind: "seqpacket", Size: 1 << 20},
		ipc.Task{Way: "inbox", Kind: "seqpacket", Size: 1 << 10, Work: ipc.PingPong, OneCPU: true})
	for _, way := range []string{"msgsnd", "sysvmsg"} {
		list = append(list,
			ipc.Task{Way: way, Size: 1 << 10},
			ipc.Task{Way: way, Size: 1 << 10, Work: ipc.PingPong, OneCPU: true})
	}
	for _, task := range list {
		task.Messages = 100
		t.Run(fmt.Sprintf("%s/%s/%d", task.Way, task.Kind, task.Work), func(t *testing.T) {
			clean(t)
			if err := ipc.Run(task); err != nil {
				t.Errorf("Run(%+v) = %v; want nil", task, err)
			}
		})
	}
}

// TestRunFails has a process fail while the other is there already, and while it
// waits.
func TestRunFails(t *testing.T) {
	for _, c := range []struct {
		task ipc.Task
		want string
	}{
		{ipc.Task{Way: "none", Kind: "stream", Size: 8}, `there is no way "none"`},
		{ipc.Task{Way: "uds", Kind: "datagram", Size: 8, Work: 2}, "there is no work 2"},
		{ipc.Task{Way: "uds", Kind: "datagram", Size: 8 << 20}, "message too long"},
	} {
		clean(t)
		c.task.Messages = 1
		err := ipc.Run(c.task)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Run(%+v) = %v; want %q", c.task, err, c.want)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run(%+v) = %v; want the other process to be killed at once", c.task, err)
		}
	}
}

// TestVerify changes each number in a message, and its size.
func TestVerify(t *testing.T) {
	const size = 3*4096 + 24
	p := make([]byte, size)
	ipc.Number(p, 7)
	if err := ipc.Verify(p, size, 7); err != nil {
		t.Errorf("Verify = %v; want nil", err)
	}
	for _, at := range []int{0, 4096, 3 * 4096, size - 1} {
		p[at] ^= 1
		if err := ipc.Verify(p, size, 7); err == nil {
			t.Errorf("Verify with byte %d changed = nil; want an error", at)
		}
		p[at] ^= 1
	}
	if err := ipc.Verify(p, size, 8); err == nil {
		t.Error("Verify of message 7 as message 8 = nil; want an error")
	}
	if err := ipc.Verify(p[:size-1], size, 7); err == nil {
		t.Error("Verify of a message that is cut = nil; want an error")
	}
}
