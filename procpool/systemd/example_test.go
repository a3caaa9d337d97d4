//go:build linux

package systemd_test

import (
	"fmt"
	"net"
	"os"

	"github.com/plait-go/plait/procpool/systemd"
)

// A service takes the socket that it was passed, or makes one.
func ExampleSockets() {
	files, err := systemd.Sockets()
	if err != nil {
		fmt.Println(err)
		return
	}
	var l net.Listener
	if len(files) > 0 {
		l, err = net.FileListener(files[0])
	} else {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l.Close() }()
	fmt.Println(l.Addr().Network(), len(files))
	// Output: tcp 0
}

// What a service tells its manager.
func ExampleNotify() {
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@plait-example", Net: "unixgram"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = manager.Close() }()
	_ = os.Setenv("NOTIFY_SOCKET", "@plait-example")
	defer func() { _ = os.Unsetenv("NOTIFY_SOCKET") }()

	if err := systemd.Notify(systemd.Ready, systemd.Status("4 workers serve")); err != nil {
		fmt.Println(err)
	}
	p := make([]byte, 100)
	n, err := manager.Read(p)
	fmt.Printf("%s\n%v\n", p[:n], err)
	// Output:
	// READY=1
	// STATUS=4 workers serve
	// <nil>
}
