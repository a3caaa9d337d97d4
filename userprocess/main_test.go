//go:build linux

package userprocess_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/plait-go/plait/userprocess"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the children
	userprocess.Main(userprocess.Roles{
		"echo":    echo,
		"wait":    wait,
		"status":  status,
		"parent":  parent,
		"deaf":    deaf,
		"replace": replace,
	})
	os.Exit(m.Run())
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
	_, _ = fmt.Println("ready") //nolint:forbidigo // a program
	<-ctx.Done()
	_, _ = fmt.Println(context.Cause(ctx)) //nolint:forbidigo // a program
	return nil
}

func status(context.Context, *userprocess.Child) error { return userprocess.Status(9) }

func deaf(context.Context, *userprocess.Child) error {
	_, _ = fmt.Println("ready") //nolint:forbidigo // a program
	for {
		time.Sleep(time.Hour)
	}
}

// parent starts a child, prints its number, and waits.
func parent(ctx context.Context, c *userprocess.Child) error {
	for _, command := range []*userprocess.Command{{Role: "deaf"}, {Path: "/bin/sleep", Args: []string{"60"}}} {
		p, err := command.Start(ctx)
		if err != nil {
			return err
		}
		_, _ = fmt.Println(p.PID()) //nolint:forbidigo // a program
	}
	<-ctx.Done()
	return nil
}

func replace(_ context.Context, c *userprocess.Child) error {
	return c.Exec(&userprocess.Command{Path: "/bin/echo", Args: c.Args()})
}
