//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/plait-go/plait/sysvmsg"
)

// Exit codes, as the help says.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2
	exitNothing     = 3
	exitInterrupted = 4
)

// A command is one word behind msgq.
type command struct {
	name string
	args string // what follows the name in the usage line
	does string // one line
	more string // what else there is to say
	// setup declares the flags, and returns what the command does once they are
	// parsed.
	setup func(*flag.FlagSet) action
}

// An action does what a command is for. Args are those behind the flags.
type action func(ctx context.Context, p *program, args []string) error

// A program is what commands see of the process.
type program struct {
	in       io.Reader
	out, err io.Writer
}

// commands are all there are, in the order of the help.
func commands() []command {
	return []command{
		sendCommand(), receiveCommand(), tailCommand(), listCommand(), statCommand(),
		dumpCommand(), requeueCommand(), removeCommand(), cleanCommand(),
	}
}

// A usageError is the caller's: there is no such command, flag or value.
type usageError struct {
	command string // or empty
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// misused is a usageError of a command that is told later which it is.
func misused(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// errNothing is that a quarantine was empty.
var errNothing = errors.New("no message to send again")

// errOutput is that standard output took no more.
var errOutput = errors.New("standard output")

// run is the program, and returns its exit code. It ends early when ctx does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{in: stdin, out: stdout, err: stderr}
	err := dispatch(ctx, p, args)
	var usage *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, syscall.EPIPE) && errors.Is(err, errOutput) && !errors.Is(err, errLost):
		return exitDone // whoever reads the output has seen enough
	case errors.As(err, &usage):
		help := "msgq help"
		if usage.command != "" {
			help += " " + usage.command
		}
		p.complain("%v (%s says more)", err, help)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		p.complain("interrupted: %v", err)
		return exitInterrupted
	}
	p.complain("%v", err)
	for _, nothing := range []error{errNothing, sysvmsg.ErrEmpty, sysvmsg.ErrFull, sysvmsg.ErrRemoved, fs.ErrNotExist} {
		if errors.Is(err, nothing) {
			return exitNothing
		}
	}
	return exitError
}

// complain writes a line to standard error.
func (p *program) complain(format string, args ...any) {
	_, _ = fmt.Fprintf(p.err, "msgq: "+format+"\n", args...) // there is nowhere else to say it
}

// printf writes to standard output.
func (p *program) printf(format string, args ...any) error {
	return p.print(fmt.Appendf(nil, format, args...))
}

// print writes to standard output, in one call, so that nothing stays in a buffer.
func (p *program) print(b []byte) error {
	if _, err := p.out.Write(b); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

// dispatch finds the command and does it.
func dispatch(ctx context.Context, p *program, args []string) error {
	if len(args) == 0 {
		return &usageError{err: errors.New("no command")}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if len(args) > 1 {
			return explain(p, args[1])
		}
		return p.print(overview())
	}
	c, err := find(args[0])
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	do := c.setup(flags)
	err = flags.Parse(args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return explain(p, c.name)
	case err != nil:
		return &usageError{c.name, fmt.Errorf("%s: %w", c.name, err)}
	}
	err = do(ctx, p, flags.Args())
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		usage.command = c.name
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return err
}

// find returns the command of a name.
func find(name string) (command, error) {
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
	}
	return command{}, misused("unknown command %q", name)
}
