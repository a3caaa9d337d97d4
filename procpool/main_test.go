//go:build linux

package procpool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the workers
	userprocess.Main(userprocess.Roles{
		"serve":     procpool.Work(serve),
		"crash":     procpool.Work(crash),
		"never":     procpool.Work(never),
		"leave":     procpool.Work(leave),
		"pass":      procpool.Work(pass),
		"deaf":      procpool.Work(deaf),
		"plain":     plain,
		"retire":    procpool.Work(retire),
		"detach":    procpool.Work(detach),
		"once":      procpool.Work(once),
		"flags":     procpool.Work(fileFlags),
		"manager":   manager,
		"consumers": consumers,
		"consume":   procpool.Work(consume),
		"answer":    procpool.Work(answer),
		"greet":     procpool.Work(greet),
		"part":      procpool.Work(part),
		"bear":      procpool.Work(bear),
		"spin":      procpool.Work(spin),
		"children":  procpool.Work(children),
		"short":     short,
		"shout":     procpool.Work(shout),
		"requests":  procpool.Work(requests),
	})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD) // starts a goroutine that never ends
	signal.Stop(signals)
	m.Run()
}

// serve is ready, and waits until it is to go.
func serve(ctx context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// crash is ready, and fails.
func crash(_ context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	return userprocess.Status(7)
}

// never is never ready.
func never(ctx context.Context, _ *procpool.Worker) error {
	<-ctx.Done()
	return nil
}

// leave exits with code 0 at once.
func leave(context.Context, *procpool.Worker) error { return nil }

// pass serves if it is one of so many workers of its slot, and leaves otherwise.
func pass(ctx context.Context, w *procpool.Worker) error {
	period, err := strconv.Atoi(w.Args()[0])
	if err != nil {
		return err
	}
	if w.Incarnation()%period == 0 {
		return serve(ctx, w)
	}
	return nil
}

// deaf is ready, and has to be killed.
func deaf(_ context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	for {
		time.Sleep(time.Hour)
	}
}

// spin is deaf, and keeps a processor busy.
func spin(_ context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	for {
		_ = w.Slot() // nothing
	}
}

// plain is no worker of a pool.
func plain(ctx context.Context, _ *userprocess.Child) error {
	<-ctx.Done()
	return nil
}

// retire asks for a successor when it is ready.
func retire(ctx context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	w.Served(1)
	<-ctx.Done()
	return nil
}

// detach goes on by itself.
func detach(ctx context.Context, w *procpool.Worker) error {
	if err := w.Ready(); err != nil {
		return err
	}
	if w.Incarnation() == 1 {
		if err := w.Detach(); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// once serves if it is the first one of its slot, and fails otherwise.
func once(ctx context.Context, w *procpool.Worker) error {
	if w.Incarnation() > 1 {
		return userprocess.Status(3)
	}
	return serve(ctx, w)
}

// fileFlags prints how its files are.
func fileFlags(ctx context.Context, w *procpool.Worker) error {
	listener, err := w.FD("listener")
	if err != nil {
		return err
	}
	blocking, err := w.FD("blocking")
	if err != nil {
		return err
	}
	if _, err := w.Listener("listener"); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("a second time: %w", err)
	}
	_, _ = fmt.Printf("%s, %s\n", nonblock(blocking), nonblock(listener)) //nolint:forbidigo // a program
	return serve(ctx, w)
}

// manager runs a pool, which its end is to take with it, and prints who is there.
func manager(ctx context.Context, c *userprocess.Child) error {
	l, err := c.File("listener")
	if err != nil {
		return err
	}
	groups := []*procpool.Group{{Name: "sleep", Command: userprocess.Command{Path: "/bin/sleep", Args: []string{"600"}}}}
	for _, role := range c.Args() {
		groups = append(groups, &procpool.Group{
			Name: role, Count: 2,
			Command: userprocess.Command{Role: role, Files: map[string]syscall.Conn{"listener": l}},
		})
	}
	pool, err := procpool.New(groups, &procpool.Options{Event: func(e procpool.Event) {
		if e.Kind == procpool.Started {
			_, _ = fmt.Println(e.PID) //nolint:forbidigo // a program
		}
	}})
	if err != nil {
		return err
	}
	return pool.Run(ctx)
}
