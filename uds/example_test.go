//go:build linux

package uds_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/plait-go/plait/uds"
)

// check ends an example that cannot go on.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// temporary returns a path in a new directory, and what removes that.
func temporary(name string) (path string, remove func()) {
	dir, err := os.MkdirTemp("", "uds")
	check(err)
	return filepath.Join(dir, name), func() { check(os.RemoveAll(dir)) }
}

// A server that the users of one group may talk to, in messages.
func ExampleListen() {
	ctx := context.Background()
	path, remove := temporary("run/echo")
	defer remove()
	l, err := uds.Listen(uds.SeqPacket, path, &uds.ListenOptions{
		Mode: 0o660, Dir: 0o750, Owner: &uds.Owner{UID: -1, GID: os.Getgid()},
	})
	check(err)
	var server sync.WaitGroup
	server.Go(func() { echoOnce(ctx, l) })

	c, err := uds.Dial(ctx, uds.SeqPacket, path)
	check(err)
	_, err = c.Sendv(ctx, []byte("one "), []byte("message")) // in two parts
	check(err)
	buf := make([]byte, 100)
	n, err := c.Receive(ctx, buf)
	fmt.Println(string(buf[:n]), err)

	check(errors.Join(c.Close(), l.Close())) // and the file is gone
	server.Wait()
	_, err = uds.Dial(ctx, uds.SeqPacket, path)
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output:
	// one message <nil>
	// true
}

// echoOnce serves one client until it hangs up.
func echoOnce(ctx context.Context, l *uds.Listener) {
	c, err := l.AcceptConn(ctx)
	check(err)
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Receive(ctx, buf)
		if err == io.EOF {
			check(c.Close())
			return
		}
		check(err)
		_, err = c.Send(ctx, buf[:n])
		check(err)
	}
}

// A Listener is a net.Listener, and a Conn a net.Conn: package http works with them.
func ExampleListener() {
	path, remove := temporary("http")
	defer remove()
	l, err := uds.Listen(uds.Stream, path, nil)
	check(err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "hello from ", r.URL.Path) // or the client is gone
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // until Close

	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return uds.Dial(ctx, uds.Stream, path)
		},
	}}
	response, err := client.Get("http://any/name")
	check(err)
	text, err := io.ReadAll(response.Body)
	fmt.Printf("%s %v\n", text, err)
	check(response.Body.Close())
	check(server.Close())
	serving.Wait()
	// Output: hello from /name <nil>
}

// A service that is asked with datagrams, and answers those that have a name.
func ExampleListenDatagram() {
	ctx := context.Background()
	at, remove := temporary("square")
	defer remove()
	server, err := uds.ListenDatagram(at, nil)
	check(err)
	var serving sync.WaitGroup
	serving.Go(func() { square(ctx, server) })

	client, err := uds.ListenDatagram(at+"-client", nil)
	check(err)
	for _, number := range []string{"7", "what?", "12"} {
		_, err := client.SendTo(ctx, []byte(number), at)
		check(err)
	}
	buf := make([]byte, 100)
	for range 2 {
		n, err := client.Receive(ctx, buf)
		fmt.Println(string(buf[:n]), err)
	}
	check(errors.Join(client.Close(), server.Close()))
	serving.Wait()
	// Output:
	// 49 <nil>
	// 144 <nil>
}

// square answers with squares until c is closed.
func square(ctx context.Context, c *uds.Conn) {
	for buf := make([]byte, 100); ; {
		n, from, err := c.ReceiveFrom(ctx, buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		number, err := strconv.Atoi(string(buf[:n]))
		if err != nil || from == "" {
			continue // makes no sense, or cannot be answered
		}
		_, _ = c.SendTo(ctx, strconv.AppendInt(nil, int64(number*number), 10), from) // it may be gone
	}
}

// Who may read a file passes it to who may not. The receiver gets a descriptor of
// its own.
func ExampleConn_SendFDs() {
	ctx := context.Background()
	a, b, err := uds.Pair(uds.SeqPacket)
	check(err)
	path, remove := temporary("secret")
	defer remove()
	check(os.WriteFile(path, []byte("the content"), 0o600))

	f, err := os.Open(path)
	check(err)
	_, err = a.SendFiles(ctx, []byte("the name"), f) // SendFDs for an *os.File
	check(err)
	check(f.Close())

	buf, fds := make([]byte, 100), make([]int, 1)
	n, nfds, err := b.ReceiveFDs(ctx, buf, fds) // uds.ErrControl if there are more
	check(err)
	received := os.NewFile(uintptr(fds[0]), string(buf[:n]))
	text, err := io.ReadAll(received)
	fmt.Printf("%d: %s: %s %v\n", nfds, received.Name(), text, err)
	check(errors.Join(received.Close(), a.Close(), b.Close()))
	// Output: 1: the name: the content <nil>
}

// An abstract name has no permissions: the server asks who is there.
func ExampleConn_PeerCred() {
	ctx := context.Background()
	name := fmt.Sprintf("@uds-example-%d", os.Getpid())
	l, err := uds.Listen(uds.SeqPacket, name, nil)
	check(err)
	var server sync.WaitGroup
	server.Go(func() {
		c, err := l.AcceptConn(ctx)
		check(err)
		peer, err := c.PeerCred()
		if err == nil && peer.UID == os.Getuid() {
			_, err = c.Send(ctx, []byte("welcome"))
		}
		check(errors.Join(err, c.Close()))
	})

	c, err := uds.Dial(ctx, uds.SeqPacket, name)
	check(err)
	buf := make([]byte, 100)
	n, err := c.Receive(ctx, buf) // io.EOF for others
	fmt.Println(string(buf[:n]), err)
	check(errors.Join(c.Close(), l.Close()))
	server.Wait()
	// Output: welcome <nil>
}

// In a pair that several processes share, each message says who sent it.
func ExampleConn_ReceiveCred() {
	ctx := context.Background()
	a, b, err := uds.Pair(uds.Datagram)
	check(err)
	check(b.PassCred())
	_, err = a.Send(ctx, []byte("it is me"))
	check(err)
	buf := make([]byte, 100)
	n, from, err := b.ReceiveCred(ctx, buf)
	fmt.Println(string(buf[:n]), from.PID == os.Getpid(), from.UID == os.Getuid(), err)
	check(errors.Join(a.Close(), b.Close()))
	// Output: it is me true true <nil>
}
