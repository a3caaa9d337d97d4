//go:build linux

package systemd_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool/systemd"
	"github.com/plait-go/plait/uds/leaktest"
)

// listen is a service manager: it sets NOTIFY_SOCKET, and returns the socket.
func listen(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return c
}

// next returns the next datagram.
func next(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	p := make([]byte, 4096)
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Read(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(p[:n])
}

func TestNotify(t *testing.T) {
	for name, path := range map[string]string{
		"path":     filepath.Join(t.TempDir(), "notify"),
		"abstract": fmt.Sprintf("@plait-notify-%d", os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			c := listen(t, path)
			for _, test := range []struct {
				states []systemd.State
				want   string // a regular expression
			}{
				{[]systemd.State{systemd.Ready}, `READY=1`},
				{[]systemd.State{systemd.Ready, systemd.Status("4 workers"), systemd.MainPID(77)}, `READY=1\nSTATUS=4 workers\nMAINPID=77`},
				{[]systemd.State{systemd.Reloading()}, `RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+`},
				{[]systemd.State{systemd.Stopping, systemd.Alive}, `STOPPING=1\nWATCHDOG=1`},
				{[]systemd.State{systemd.Status("a\nMAINPID=1\r\x00b")}, `STATUS=a MAINPID=1  b`},
				{[]systemd.State{"EXTEND_TIMEOUT_USEC=1000000"}, `EXTEND_TIMEOUT_USEC=1000000`},
			} {
				if err := systemd.Notify(test.states...); err != nil {
					t.Fatal(err)
				}
				if got := next(t, c); !regexp.MustCompile(`^` + test.want + `$`).MatchString(got) {
					t.Errorf("%q, want %s", got, test.want)
				}
			}
		})
	}
}

func TestNobodyToNotify(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := systemd.Notify(systemd.Ready); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	for path, want := range map[string]error{
		"relative":                      nil,
		"vsock:2:1234":                  nil,
		dir + "/nobody":                 unix.ENOENT,
		"/" + strings.Repeat("x", 2000): unix.EINVAL,
		dir:                             unix.ECONNREFUSED,
	} {
		t.Setenv("NOTIFY_SOCKET", path)
		if err := systemd.Notify(systemd.Ready); err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("NOTIFY_SOCKET=%s: %v, want %v", path, err, want)
		}
	}
}

// A service manager that does not read keeps nobody waiting.
func TestNotifyFull(t *testing.T) {
	leaktest.Check(t)
	c := listen(t, filepath.Join(t.TempDir(), "notify"))
	n := 0
	for ; ; n++ {
		if err := systemd.Notify(systemd.Alive); errors.Is(err, systemd.ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		if got := next(t, c); got != "WATCHDOG=1" {
			t.Fatalf("%q", got)
		}
	}
	if err := systemd.Notify(systemd.Ready); err != nil {
		t.Errorf("when it has read: %v", err)
	}
}

func TestWatchdog(t *testing.T) {
	own := fmt.Sprint(os.Getpid())
	for _, test := range []struct {
		usec, pid string
		want      time.Duration
		wrong     string
	}{
		{"", "", 0, ""},
		{"", own, 0, ""},
		{"2500000", "", 2500 * time.Millisecond, ""},
		{"1", own, time.Microsecond, ""},
		{"2500000", "1", 0, ""},
		{"2500000", "x", 0, `WATCHDOG_PID is "x"`},
		{"0", "", 0, `WATCHDOG_USEC is "0"`},
		{"-5", own, 0, `WATCHDOG_USEC is "-5"`},
		{"9223372036854775807", "", 0, `WATCHDOG_USEC is "9223372036854775807"`},
		{"1s", "", 0, `WATCHDOG_USEC is "1s"`},
	} {
		t.Setenv("WATCHDOG_USEC", test.usec)
		t.Setenv("WATCHDOG_PID", test.pid)
		got, err := systemd.Watchdog()
		if got != test.want || (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%q, %q: %v, %v; want %v, %q", test.usec, test.pid, got, err, test.want, test.wrong)
		}
	}
}
