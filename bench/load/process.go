//go:build linux

package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Process is a server that runs in a process of its own.
type Process struct {
	cmd   *exec.Cmd
	ask   io.WriteCloser // it ends when this is closed
	out   io.Closer
	lines *bufio.Reader // of out
	addr  unix.Sockaddr
	here  unix.CPUSet // for the one who gives it load
}

// Start starts a server of Child's, which listens on loopback TCP where network is
// "tcp" and on an abstract UNIX socket where it is "unix". Under, if there is one,
// is a command and its arguments to run the process under.
func Start(server, network string, under ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ln, addr, err := listen(network)
	if err != nil {
		return nil, err
	}
	defer func() { _ = ln.Close() }() // it is closed already, but for an error
	argv := slices.Concat(under, []string{self})
	p := &Process{cmd: exec.Command(argv[0], argv[1:]...), addr: addr}
	p.cmd.Env = append(os.Environ(), serverKey+"="+server)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, told, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.ExtraFiles = []*os.File{listener - 3: ln, teller - 3: told}
	p.ask, p.out, p.lines = in, out, bufio.NewReader(out)
	there, here := processors()
	p.here = here
	err = on(there, p.cmd.Start)
	// The child has them; one that listens by itself needs the address.
	if err := errors.Join(err, ln.Close(), told.Close()); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	if line, err := p.line(); line != ready {
		return nil, errors.Join(fmt.Errorf("load: server %s: %q", server, line), err, p.Close())
	}
	return p, nil
}

// listen returns a socket that listens at an address of the kernel's choice.
func listen(network string) (*os.File, unix.Sockaddr, error) {
	domain, sa := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if network == "unix" {
		domain, sa = unix.AF_UNIX, &unix.SockaddrUnix{}
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	quick(fd)
	if err := errors.Join(unix.Bind(fd, sa), unix.Listen(fd, 4096)); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	addr, err := unix.Getsockname(fd)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, addr, nil
}

// quick has a TCP socket, and those it accepts, send without delay and pacing.
func quick(fd int) {
	// They fail on a UNIX socket, which has neither.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno")
}

// line returns the next line that the child says.
func (p *Process) line() (string, error) {
	s, err := p.lines.ReadString('\n')
	return strings.TrimSuffix(s, "\n"), err
}

// Close ends the process and waits for it.
func (p *Process) Close() error { return errors.Join(p.ask.Close(), p.cmd.Wait(), p.out.Close()) }

// CPU returns the processor time of all threads so far, in user and system mode,
// when the process has come to rest: the kernel counts the time of a thread that
// runs only by ticks, of 10 ms at most.
func (p *Process) CPU() (time.Duration, error) {
	before, err := p.clock()
	for range 50 {
		time.Sleep(11 * time.Millisecond)
		now, err := p.clock()
		if now == before || err != nil {
			return now, err
		}
		before = now
	}
	return before, err // it does not rest
}

// clock returns what the process's clock says.
func (p *Process) clock() (time.Duration, error) {
	// The clock of a process: see MAKE_PROCESS_CPUCLOCK and CPUCLOCK_SCHED in the
	// kernel's posix-timers.h.
	clock := int32(^p.cmd.Process.Pid)<<3 | 2
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(ts.Nano()), nil
}

// Heap returns how many bytes and objects of the heap are in use, behind a
// collection.
func (p *Process) Heap() (bytes, objects uint64, err error) {
	if _, err := io.WriteString(p.ask, "\n"); err != nil {
		return 0, 0, err
	}
	line, err := p.line()
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscanf(line, memory, &bytes, &objects)
	return bytes, objects, err
}

// PSS returns the memory of the process in bytes, what it shares with others in
// equal parts.
func (p *Process) PSS() (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kib uint64
		if n, _ := fmt.Sscanf(line, "Pss: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, errors.New("load: no Pss in smaps_rollup")
}
