//go:build linux

package userprocess_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
)

// greet is a role: it answers each name that comes through its pipe.
func greet(ctx context.Context, c *userprocess.Child) error {
	pipe, err := c.Pipe()
	if err != nil {
		return err
	}
	name := make([]byte, 100)
	for {
		n, err := pipe.Receive(ctx, name)
		if err != nil {
			return err
		}
		if _, err := pipe.Send(ctx, fmt.Append(nil, "hello ", string(name[:n]))); err != nil {
			return err
		}
	}
}

// A role with a pipe for packets. Main was called with "greet" and its function.
func ExampleCommand_Start() {
	ctx := context.Background()
	p, err := (&userprocess.Command{Role: "greet", Pipe: uds.SeqPacket}).Start(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = p.Close() }()
	answer := make([]byte, 100)
	for _, name := range []string{"you", "world"} {
		if _, err := p.Pipe().Send(ctx, []byte(name)); err != nil {
			fmt.Println(err)
		}
		n, err := p.Pipe().Receive(ctx, answer)
		fmt.Println(string(answer[:n]), err)
	}
	fmt.Println(p.Stop(ctx))
	// Output:
	// hello you <nil>
	// hello world <nil>
	// exit code 0 <nil>
}

// Another program, by its standard streams.
func ExampleCommand_Start_program() {
	command := &userprocess.Command{Path: "/bin/sh", Args: []string{"-c", "tr a-z A-Z; exit 3"}, Stdin: userprocess.Pipe, Stdout: userprocess.Pipe}
	p, err := command.Start(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = p.Stdout().Close() }()
	_, _ = io.WriteString(p.Stdin(), "hello\n")
	_ = p.Stdin().Close() // the end of the input
	text, err := io.ReadAll(p.Stdout())
	fmt.Printf("%q %v\n", text, err)
	fmt.Println(p.Wait())
	// Output:
	// "HELLO\n" <nil>
	// exit code 3 <nil>
}

// accept is a role: it answers one connection.
func accept(_ context.Context, c *userprocess.Child) error {
	l, err := c.Listener("listener")
	if err != nil {
		return err
	}
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	_, err = io.WriteString(conn, "from the child\n")
	return err
}

// A child accepts from a listener of its parent.
func ExampleChild_Listener() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l.Close() }()
	command := &userprocess.Command{Role: "accept", Files: map[string]syscall.Conn{"listener": l.(*net.TCPListener)}}
	p, err := command.Start(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.Close() }()
	text, err := io.ReadAll(conn)
	fmt.Printf("%q %v\n", text, err)
	fmt.Println(p.Wait())
	// Output:
	// "from the child\n" <nil>
	// exit code 0 <nil>
}
