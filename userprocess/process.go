//go:build linux

package userprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// A Process is a child that was started.
type Process struct {
	name     string
	pid      int
	grace    time.Duration
	lifeline *uds.Conn // of a role, or nil
	pipe     *uds.Conn
	stdin    *os.File
	output   [2]*Output

	mu     sync.Mutex // a signal is sent before the process is reaped, or never
	reaped bool
	done   chan struct{} // closed when it has been
	asked  sync.Once     // to end
	exit   Exit
	err    error
}

// PID returns the number of the process, which is another one's some time after the
// end: see [Process.Signal].
func (p *Process) PID() int { return p.pid }

// String returns the role or the name of the program, and the number.
func (p *Process) String() string { return fmt.Sprintf("%s (pid %d)", p.name, p.pid) }

// Pipe returns our end of the connection that Command.Pipe asked for, or nil. Once
// the child has ended, receiving goes on to the last message of it, and then is
// io.EOF, also if somebody else has its end by now. The caller closes it, or calls
// Close.
func (p *Process) Pipe() *uds.Conn { return p.pipe }

// Stdin returns the writing end of the child's standard input, or nil if it is not
// Pipe. The caller closes it, which is the end of the input, or calls Close.
func (p *Process) Stdin() *os.File { return p.stdin }

// Stdout returns the reading end of the child's standard output, or nil if it is
// not Pipe. A child that writes more than the pipe takes, 64 KiB, waits for the
// reader. The caller closes it, or calls Close.
func (p *Process) Stdout() *Output { return p.output[0] }

// Stderr is as Stdout, for the standard error.
func (p *Process) Stderr() *Output { return p.output[1] }

// Close closes our ends of what Command asked for: Pipe, Stdin, Stdout and Stderr.
// The child is not stopped.
func (p *Process) Close() error {
	var errs []error
	for _, c := range []io.Closer{p.pipe, p.stdin, p.output[0], p.output[1]} {
		switch c {
		case (*uds.Conn)(nil), (*os.File)(nil), (*Output)(nil):
		default:
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the process has ended, and tells how. Any number of goroutines
// may wait, at any time. The error is ECHILD if other code of this program waited
// for the process, with wait4(2) of any child, and knows how it ended.
func (p *Process) Wait() (Exit, error) {
	<-p.done
	return p.exit, p.err
}

// Signal sends a signal to the process. After its end that is os.ErrProcessDone,
// and nobody gets it, whoever has the number then.
func (p *Process) Signal(sig syscall.Signal) error {
	return p.unreaped(func() error { return os.NewSyscallError("kill", unix.Kill(p.pid, sig)) })
}

// Kill kills the process, and all of its process group. After its end that is
// os.ErrProcessDone.
func (p *Process) Kill() error {
	return p.unreaped(func() error {
		err := unix.Kill(-p.pid, unix.SIGKILL)
		if err == unix.ESRCH { // it has left its group
			err = nil
		}
		return errors.Join(os.NewSyscallError("kill", err), os.NewSyscallError("kill", unix.Kill(p.pid, unix.SIGKILL)))
	})
}

// unreaped calls fn while the number of the process is that of nobody else.
func (p *Process) unreaped(fn func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return fn()
}

// Stop ends the process: a role's context ends with ErrStopped, other programs get
// SIGTERM, and whoever is there after Command.Grace, or when ctx has ended, is
// killed with its process group. It returns when the process has ended, as Wait
// does. A second Stop waits, too, and only its ctx counts.
func (p *Process) Stop(ctx context.Context) (Exit, error) {
	p.asked.Do(p.ask)
	late := time.NewTimer(p.grace)
	defer late.Stop()
	select {
	case <-p.done:
		return p.Wait()
	case <-late.C:
	case <-ctx.Done():
	}
	_ = p.Kill() // or it has just ended
	return p.Wait()
}

// ask asks the process to end. One that was stopped by SIGSTOP goes on for that.
func (p *Process) ask() {
	asked := false
	if p.lifeline != nil {
		_, err := p.lifeline.TrySend([]byte{stopRequest})
		asked = err == nil || errors.Is(err, uds.ErrFull) // which were requests, too
	}
	if !asked { // a role that has executed another program has no lifeline any more
		_ = p.Signal(unix.SIGTERM) // or it is gone
	}
	_ = p.Signal(unix.SIGCONT)
}

// end kills the process and waits for it.
func (p *Process) end() {
	_ = p.Kill() // or it has ended
	<-p.done
}

// watch waits for the end of the process, in the runtime's poller.
func (p *Process) watch(pidfd *os.File) {
	defer children.leave()
	raw, err := pidfd.SyscallConn()
	if err == nil {
		err = raw.Read(func(uintptr) bool { return p.reap(unix.WNOHANG) })
	}
	if err != nil { // the poller does not take it
		p.await()
		p.reap(unix.WNOHANG)
	}
	_ = pidfd.Close() // nothing was written to it
	p.hangUp()
	close(p.done)
}

// await blocks until the process has ended, and leaves it to reap.
func (p *Process) await() {
	for unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// reap reports whether the process has ended, and notes how.
func (p *Process) reap(options int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ws unix.WaitStatus
	var ru unix.Rusage
	pid, err := unix.Wait4(p.pid, &ws, options, &ru)
	for err == unix.EINTR {
		pid, err = unix.Wait4(p.pid, &ws, options, &ru)
	}
	if pid == 0 && err == nil {
		return false
	}
	p.reaped = true
	children.reaped(p.pid)
	if p.exit = newExit(ws, &ru); err != nil {
		p.exit, p.err = Exit{Code: -1}, os.NewSyscallError("wait4", err)
	}
	return true
}

// hangUp has readers come to an end behind what the process has written, even if a
// process that it has forked goes on to write.
func (p *Process) hangUp() {
	if p.lifeline != nil {
		_ = p.lifeline.Close() // the other end is gone
	}
	if p.pipe != nil {
		_ = p.pipe.CloseRead() // or it is closed
	}
	for _, o := range p.output {
		o.hangUp()
	}
}
