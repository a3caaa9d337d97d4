//go:build linux

package systemd

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A State is an assignment for Notify. See sd_notify(3) for more of them.
type State string

// The states of a service.
const (
	Ready    State = "READY=1"    // it serves; also the end of a reload
	Stopping State = "STOPPING=1" // it begins to stop
	Alive    State = "WATCHDOG=1" // see Watchdog
)

// Reloading says that the service begins to reload: the end is Ready. It tells the
// time, as Type=notify-reload wants it.
func Reloading() State {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail
	return State("RELOADING=1\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/1000, 10))
}

// Status is how the service is, in a line for people. What would end the line
// becomes a space.
func Status(text string) State {
	return State("STATUS=" + strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == 0 {
			return ' '
		}
		return r
	}, text))
}

// MainPID says which process is the service's main one.
func MainPID(pid int) State { return State("MAINPID=" + strconv.Itoa(pid)) }

// ErrFull is returned by Notify when the service manager has not read what it has.
var ErrFull = errors.New("systemd: the service manager's socket is full")

// Notify tells the service manager something, in one datagram to the socket that
// NOTIFY_SOCKET names. It returns nil if there is none, and never waits. A State of
// the caller's own that has line ends is several.
//
// Children inherit NOTIFY_SOCKET. The service manager does not listen to them, unless
// NotifyAccess= says so.
func Notify(states ...State) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if path[0] != '/' && path[0] != '@' { // vsock: is for virtual machines
		return fmt.Errorf("systemd: NOTIFY_SOCKET is %q, want a path, or @ and a name", path)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("systemd: socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	var message []string
	for _, s := range states {
		message = append(message, string(s))
	}
	err = unix.Sendto(fd, []byte(strings.Join(message, "\n")), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path})
	if errors.Is(err, unix.EAGAIN) {
		err = ErrFull
	}
	if err != nil {
		return fmt.Errorf("systemd: NOTIFY_SOCKET %s: %w", path, err)
	}
	return nil
}

// Watchdog returns within which time the service manager wants to hear that the
// service is Alive, again and again, 0 if it does not. Half of that is a good period.
// It looks at WATCHDOG_USEC, and at WATCHDOG_PID if that is set.
func Watchdog() (time.Duration, error) {
	text := os.Getenv("WATCHDOG_USEC")
	if text == "" {
		return 0, nil
	}
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" {
		switch n, err := strconv.Atoi(pid); {
		case err != nil || n <= 0:
			return 0, fmt.Errorf("systemd: WATCHDOG_PID is %q, want a process ID", pid)
		case n != os.Getpid():
			return 0, nil
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if most := int64(1<<63-1) / 1000; err != nil || n <= 0 || n > most {
		return 0, fmt.Errorf("systemd: WATCHDOG_USEC is %q, want 1 to %d microseconds", text, most)
	}
	return time.Duration(n) * time.Microsecond, nil
}
