//go:build linux

package userprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/userprocess"
	"github.com/plait-go/plait/userprocess/nofork"
)

// roles are what this program can be started as.
func roles() userprocess.Roles {
	return userprocess.Roles{
		"echo": echo, "wait": wait, "exit": exit, "panic": bang, "deaf": deaf, "list": list, "use": use,
		"parent": parent, "replace": replace, "fork": fork, "env": env, "blocked": blocked, "full": full, "again": again,
		"greet": greet, "accept": accept, "of a role": ofARole, "with files": withFiles,
	}
}

// echo sends back what it gets.
func echo(ctx context.Context, c *userprocess.Child) error {
	pipe, err := c.Pipe()
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<16)
	for {
		n, err := pipe.Receive(ctx, buf)
		if err != nil {
			return err
		}
		if _, err := pipe.Send(ctx, buf[:n]); err != nil {
			return err
		}
	}
}

// wait prints that it is there, and why it ends.
func wait(ctx context.Context, _ *userprocess.Child) error {
	say("ready")
	<-ctx.Done()
	say(context.Cause(ctx))
	return ctx.Err()
}

// exit ends with a code, or with an error.
func exit(_ context.Context, c *userprocess.Child) error {
	code, err := strconv.Atoi(c.Args()[0])
	if err != nil {
		return errors.New(c.Args()[0])
	}
	return fmt.Errorf("wrapped: %w", userprocess.Status(code))
}

func bang(context.Context, *userprocess.Child) error { panic("bang") }

// deaf looks at nothing.
func deaf(context.Context, *userprocess.Child) error {
	say("ready")
	for {
		time.Sleep(time.Hour)
	}
}

// list prints its descriptors from 3 on, but those of the runtime, and whether they are
// close-on-exec.
func list(context.Context, *userprocess.Child) error {
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return err
	}
	slices.Sort(links)
	for _, link := range links {
		fd, err := strconv.Atoi(filepath.Base(link))
		target, linkErr := os.Readlink(link)
		if err != nil || linkErr != nil || fd < 3 || strings.HasPrefix(target, "anon_inode:") || strings.HasPrefix(target, "/sys/") {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil {
			return err
		}
		kind, _, _ := strings.Cut(target, ":")
		say(kind, flags&unix.FD_CLOEXEC != 0)
	}
	return nil
}

// use takes its descriptors by name, each once.
func use(ctx context.Context, c *userprocess.Child) error {
	f, err := c.File("config")
	if err != nil {
		return err
	}
	text := make([]byte, 100)
	n, err := f.Read(text)
	say(f.Name(), string(text[:n]), err)
	l, err := c.Listener("listener")
	if err != nil {
		return err
	}
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	n, err = conn.Read(text)
	say("listener", string(text[:n]), err)
	peer, err := c.Conn("peer")
	if err != nil {
		return err
	}
	n, err = peer.Receive(ctx, text)
	say("peer", string(text[:n]), err)
	for _, name := range []string{"config", "nothing", "lifeline", ""} {
		_, err := c.FD(name)
		say(errors.Is(err, os.ErrNotExist), err)
	}
	fd, err := c.FD("number")
	say(fd > 2, err, c.Role(), c.Args())
	return nil
}

// parent starts children, prints their numbers, and waits.
func parent(ctx context.Context, c *userprocess.Child) error {
	for _, command := range []*userprocess.Command{
		{Role: "deaf", Stdout: userprocess.Pipe},
		{Path: "/bin/sleep", Args: []string{"600"}},
		{Path: "/bin/sleep", Args: []string{"600"}, Priority: 1},
		{Role: "deaf", Stdout: userprocess.Pipe, Priority: 1},
		{Path: "/bin/sh", Args: []string{"-c", "trap '' TERM INT; exec sleep 600"}},
		{Role: "replace", Args: []string{"/bin/sleep", "600"}},
	} {
		p, err := command.Start(ctx)
		if err != nil {
			return err
		}
		if out := p.Stdout(); out != nil { // until the role says that it runs
			if _, err := out.Read(make([]byte, 16)); err != nil {
				return err
			}
		}
		if len(c.Args()) > 0 { // stop them
			if err := p.Signal(unix.SIGSTOP); err != nil {
				return err
			}
		}
		say(p.PID())
	}
	say("ready")
	<-ctx.Done()
	return nil
}

// replace goes on as another program.
func replace(_ context.Context, c *userprocess.Child) error {
	return c.Exec(&userprocess.Command{Path: c.Args()[0], Args: c.Args()[1:]})
}

// fork leaves a process behind that holds all that this one has, and ends.
func fork(context.Context, *userprocess.Child) error {
	say("before")
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr, os.NewFile(3, "x"), os.NewFile(4, "y")}})
	if err != nil {
		return err
	}
	return p.Release()
}

// env prints the variables that this package uses, those that are asked for, and where
// it is.
func env(_ context.Context, c *userprocess.Child) error {
	for _, name := range append([]string{"PLAIT_CHILD", "PLAIT_FDS"}, c.Args()...) {
		value, ok := os.LookupEnv(name)
		say(name, value, ok)
	}
	dir, err := os.Getwd()
	say(dir)
	return err
}

// blocked prints which of its files do not block.
func blocked(_ context.Context, c *userprocess.Child) error {
	for _, name := range c.Args() {
		fd, err := c.FD(name)
		if err != nil {
			return err
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		say(name, flags&unix.O_NONBLOCK == 0)
	}
	return nil
}

// full starts a child where there can be none, and when there can be one again.
func full(ctx context.Context, _ *userprocess.Child) error {
	end, err := nofork.Begin()
	if err != nil {
		return err
	}
	command := &userprocess.Command{Path: "/bin/true"}
	for range 10 {
		_, err := command.Start(ctx)
		say(errors.Is(err, unix.EAGAIN), err)
	}
	if err := end(); err != nil {
		return err
	}
	p, err := command.Start(ctx)
	if err != nil {
		return err
	}
	exit, err := p.Wait()
	say(exit, err)
	return err
}

// again fails to go on as another program, and goes on.
func again(ctx context.Context, c *userprocess.Child) error {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	before, err := os.Getwd()
	if err != nil {
		return err
	}
	for _, command := range []*userprocess.Command{
		{Path: "/nonsense", Dir: "/", Files: map[string]syscall.Conn{"null": f}},
		{Path: "/bin/true", Dir: "/nonsense"},
		{Path: "/bin/true", Files: map[string]syscall.Conn{"stdin": f}},
		{Path: "/bin/true", Stdout: userprocess.Null},
		{Role: "echo"},
		{},
	} {
		say(c.Exec(command))
	}
	if after, err := os.Getwd(); after != before || err != nil {
		return fmt.Errorf("in %s, not in %s, %w", after, before, err)
	}
	if err := list(ctx, c); err != nil {
		return err
	}
	_ = unix.Kill(unix.Getpid(), unix.SIGINT) // is ignored, as before
	<-ctx.Done()
	say(context.Cause(ctx))
	return nil
}

// ofARole starts a role that has its output, and is killed.
func ofARole(ctx context.Context, _ *userprocess.Child) error {
	if _, err := (&userprocess.Command{Role: "wait"}).Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// withFiles goes on as a shell that has its output under another number, too.
func withFiles(_ context.Context, c *userprocess.Child) error {
	script := `pwd; echo "${PLAIT_FDS%=*}" >/proc/self/fd/${PLAIT_FDS#to=}`
	return c.Exec(&userprocess.Command{Path: "/bin/sh", Args: []string{"-c", script}, Dir: "/", Files: map[string]syscall.Conn{"to": os.Stdout}})
}
