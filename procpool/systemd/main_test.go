//go:build linux

package systemd_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool/systemd"
)

// TestMain makes a service of this program when it is started as one.
func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the services
	if os.Getenv("SYSTEMD_TEST_SERVICE") != "" {
		service()
		return
	}
	m.Run()
}

// service prints what it was passed, a line each, then its environment's, then what a
// second call returns.
func service() {
	files, err := systemd.Sockets()
	for _, f := range files {
		flags, _ := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
		fdFlags, _ := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0)
		listens, _ := unix.GetsockoptInt(int(f.Fd()), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		fmt.Println(f.Name(), flags&unix.O_NONBLOCK != 0, fdFlags&unix.FD_CLOEXEC != 0, listens == 1) //nolint:forbidigo // a program
	}
	if err != nil {
		fmt.Println("error:", err) //nolint:forbidigo // a program
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if value, ok := os.LookupEnv(name); ok {
			fmt.Println(name, value) //nolint:forbidigo // a program
		}
	}
	if files, err := systemd.Sockets(); files != nil || err != nil {
		fmt.Println("again:", files, err) //nolint:forbidigo // a program
	}
}
