//go:build linux

package userprocess

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
)

// Why a role's context has ended. See [context.Cause].
var (
	ErrStopped    = errors.New("userprocess: asked to stop")
	ErrTerminated = errors.New("userprocess: got SIGTERM")
	ErrParentGone = errors.New("userprocess: the parent is gone")
)

// leave is how long a role may go on without its parent.
const leave = 500 * time.Millisecond

// stopRequest is what the parent sends on the lifeline.
const stopRequest = 's'

// A Child is this process, as its role sees it.
type Child struct {
	role   string
	args   []string
	parent int // its PID

	mu  sync.Mutex
	fds map[string]int // that have not been taken
}

func newChild(m *manifest) *Child {
	c := &Child{role: m.Role, args: m.Args, parent: unix.Getppid(), fds: make(map[string]int)}
	for i, name := range m.FDs {
		c.fds[name] = firstFD + i
	}
	return c
}

// Role returns the name of the role.
func (c *Child) Role() string { return c.role }

// Args returns Command.Args.
func (c *Child) Args() []string { return c.args }

// FD returns the descriptor of that name from Command.Files, once: it is the
// caller's then, is close-on-exec, and as blocking as it was.
func (c *Child) FD(name string) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fd, ok := c.fds[name]
	if !ok || name == lifelineName {
		return -1, fmt.Errorf("userprocess: no descriptor %q, or it was taken: %w", name, os.ErrNotExist)
	}
	delete(c.fds, name)
	return fd, nil
}

// File is FD for package os.
func (c *Child) File(name string) (*os.File, error) {
	fd, err := c.FD(name)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Conn is FD for a connected UNIX socket, which is made non-blocking for all who
// share it. It must not listen.
func (c *Child) Conn(name string) (*uds.Conn, error) {
	f, err := c.File(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // the Conn has its own
	conn, err := uds.FromFile(f)
	if err != nil {
		return nil, fmt.Errorf("userprocess: descriptor %q: %w", name, err)
	}
	return conn, nil
}

// Listener is FD for a listening socket of any kind that package net knows, which
// is made non-blocking for all who share it.
func (c *Child) Listener(name string) (net.Listener, error) {
	fd, err := c.FD(name)
	if err != nil {
		return nil, err
	}
	f, err := pollable(fd, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // the Listener has its own
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("userprocess: descriptor %q: %w", name, err)
	}
	return l, nil
}

// Pipe returns this end of the connection to the parent that Command.Pipe asked
// for, once.
func (c *Child) Pipe() (*uds.Conn, error) { return c.Conn(pipeName) }

// run runs the role, until it returns or has to go.
func (c *Child) run(role Role) error {
	signal.Ignore(unix.SIGINT)
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, unix.SIGTERM)
	s, err := uds.NewSocket(c.fds[lifelineName])
	if err != nil {
		return fmt.Errorf("$%s is set, and there is no lifeline: %w", marker, err)
	}
	lifeline, err := s.Attach()
	if err != nil {
		return fmt.Errorf("lifeline: %w", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	go watchSignal(ctx, terms, cancel)    // ends with ctx
	go watchParent(ctx, lifeline, cancel) // ends with the process
	spare()
	err = role(ctx, c)
	if errors.Is(context.Cause(ctx), ErrParentGone) {
		killGroup()
	}
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.role, err)
	}
	return nil
}

// init keeps the main goroutine of a child in the main thread until Main runs there:
// the signal that the kernel sends at the parent's death is the thread's.
func init() {
	if _, isChild := os.LookupEnv(marker); isChild {
		runtime.LockOSThread()
	}
}

// spare has the kernel no longer kill this process at the parent's death: there is
// somebody now who notices, and leaves the role some time. Who was stopped notices
// nothing, and is to go on.
func spare() {
	if unix.Gettid() == unix.Getpid() { // or Main was not called by main
		_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGCONT), 0, 0, 0)
		runtime.UnlockOSThread()
	}
}

func watchSignal(ctx context.Context, terms <-chan os.Signal, cancel context.CancelCauseFunc) {
	select {
	case <-terms:
		cancel(ErrTerminated)
	case <-ctx.Done():
	}
}

// watchParent waits for requests, and for the end of the parent.
func watchParent(ctx context.Context, lifeline *uds.Conn, cancel context.CancelCauseFunc) {
	var request [1]byte
	for {
		n, err := lifeline.Receive(context.WithoutCancel(ctx), request[:])
		if err != nil {
			break
		}
		if n == 1 && request[0] == stopRequest {
			cancel(ErrStopped)
		}
	}
	cancel(ErrParentGone)
	time.Sleep(leave)
	killGroup()
}

// killGroup kills this process, and those of its group if that is its own.
func killGroup() {
	pid := unix.Getpid()
	if unix.Getpgrp() == pid {
		_ = unix.Kill(-pid, unix.SIGKILL) // does not return
	}
	_ = unix.Kill(pid, unix.SIGKILL) // as above
}
