//go:build linux

package epoll_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A server that sends back what it gets. Package net parses the address, and the
// Loop takes a descriptor of its own for the socket.
func Example() {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fd, err := epoll.Duplicate(tcp.(*net.TCPListener))
	check(err)
	check(tcp.Close())

	loop, err := epoll.New(nil)
	check(err)
	_, err = loop.Listen(fd, &epoll.Handler{
		Data: func(c *epoll.Conn, p []byte) error {
			_, err := c.Write(p)
			return err
		},
	}, nil)
	check(err)

	reply := make(chan string, 1)
	go func() {
		defer loop.Stop()
		reply <- ask(dial(tcp.Addr()), "hello")
	}()
	check(loop.Run(context.Background()))
	fmt.Println(<-reply)
	// Output: hello
}

// The verbs on a pipe. Gen comes back with the events: by it one who closes a
// descriptor and opens another with the same number tells them apart.
func ExamplePoller() {
	poller, err := epoll.NewPoller(epoll.Park)
	check(err)
	var pipe [2]int
	check(unix.Pipe2(pipe[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
	r, w := pipe[0], pipe[1]
	events := make([]epoll.Event, 16)
	wait := func(deadline time.Time) {
		n, err := poller.Wait(events, deadline)
		check(err)
		for _, e := range events[:n] {
			fmt.Println(e.FD == r, e.Gen, e.Events)
		}
	}

	check(poller.Add(r, 1, epoll.Readable))
	_, err = unix.Write(w, []byte("x"))
	check(err)
	wait(time.Time{}) // as long as it takes
	check(poller.Modify(r, 2, epoll.Readable|epoll.EdgeTriggered))
	wait(time.Time{})
	wait(time.Now()) // does not wait; the byte has been told of
	check(poller.Remove(r))
	check(poller.Wake()) // from any goroutine
	wait(time.Time{})
	check(errors.Join(poller.Close(), unix.Close(r), unix.Close(w)))
	// Output:
	// true 1 Readable
	// true 2 Readable
}

// A net.UnixListener removes its file when it is closed, unless it is told not to.
func ExampleDuplicate() {
	dir, err := os.MkdirTemp("", "server")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: filepath.Join(dir, "socket")})
	check(err)
	socket.SetUnlinkOnClose(false)
	fd, err := epoll.Duplicate(socket)
	check(err)
	check(socket.Close())

	loop, err := epoll.New(nil)
	check(err)
	_, err = loop.Listen(fd, &epoll.Handler{Opened: greet}, nil)
	check(err)
	go func() {
		defer loop.Stop()
		fmt.Println(ask(dial(socket.Addr()), ""))
	}()
	check(loop.Run(context.Background()))
	// Output: hello
}

// check ends an example that cannot go on. A program would handle the error.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// serveTCP has loop accept connections on a port of the loopback interface, and
// returns the address.
func serveTCP(loop *epoll.Loop, h *epoll.Handler, opts *epoll.ListenOptions) (*epoll.Listener, net.Addr) {
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	fd, err := epoll.Duplicate(tcp)
	check(err)
	check(tcp.Close())
	ln, err := loop.Listen(fd, h, opts)
	check(err)
	return ln, tcp.Addr()
}

// dial connects a client, which has so much time for all that it does.
func dial(addr net.Addr) net.Conn {
	conn, err := net.Dial(addr.Network(), addr.String())
	check(err)
	check(conn.SetDeadline(time.Now().Add(10 * time.Second)))
	return conn
}

// ask sends a request, says that nothing follows, and returns all that comes
// back.
func ask(conn net.Conn, request string) string {
	_, err := io.WriteString(conn, request)
	check(err)
	check(conn.(interface{ CloseWrite() error }).CloseWrite())
	reply, err := io.ReadAll(conn)
	check(err)
	check(conn.Close())
	return string(reply)
}
