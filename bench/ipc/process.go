//go:build linux

package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a child.
type process struct {
	cmd  *exec.Cmd
	ask  io.WriteCloser // it ends when this is closed
	says *json.Decoder
}

// start starts a child, with f as its end, and waits until it is ready. F is the
// caller's still; it may be nil. The child is killed when ctx ends.
func start(ctx context.Context, j job, f *os.File) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self)}
	p.cmd.Env = append(os.Environ(), jobKey+"="+string(text))
	p.cmd.Stderr = os.Stderr
	p.cmd.WaitDelay = time.Second
	if f != nil {
		p.cmd.ExtraFiles = []*os.File{socket - 3: f}
	}
	if p.ask, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.says = json.NewDecoder(out)
	if err := on(j.OneCPU, p.cmd.Start); err != nil {
		return nil, err
	}
	if _, err := p.report(); err != nil { // ready
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// begin has the child begin.
func (p *process) begin() error {
	_, err := io.WriteString(p.ask, "\n")
	return err
}

// report waits for what the child says.
func (p *process) report() (report, error) {
	var r report
	err := p.says.Decode(&r)
	if err == nil && r.Err != "" {
		err = errors.New(r.Err)
	}
	if err != nil {
		err = fmt.Errorf("ipc: child %d: %w", p.cmd.Process.Pid, err)
	}
	return r, err
}

// close ends the child and waits for it.
func (p *process) close() error { return errors.Join(p.ask.Close(), p.cmd.Wait()) }

// on calls start, of a process that may use one processor only if one is set: the
// first of those that this thread may use.
func on(one bool, start func() error) error {
	if !one {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, first unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return os.NewSyscallError("sched_getaffinity", err)
	}
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	first.Set(cpu)
	if err := unix.SchedSetaffinity(0, &first); err != nil {
		return os.NewSyscallError("sched_setaffinity", err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }() // it was so
	return start()
}
