//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/userprocess"
)

// patience bounds every wait of a test.
const patience = 30 * time.Second

// asProgram in the environment makes the test binary the program.
const asProgram = "REDISQUEUE_TEST_AS_PROGRAM"

// obedient is the role of workers that do what a message says.
const obedient = "obedient"

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the workers
	if os.Getenv(asProgram) != "" {
		main()
	}
	logging.Disable()
	userprocess.Main(userprocess.Roles{
		workers:  procpool.Work(work),
		obedient: procpool.Work(func(ctx context.Context, w *procpool.Worker) error { return consume(ctx, w, obey) }),
	})
	os.Exit(m.Run())
}

// obey does what the first word of a message says, and then what the workers do.
func obey(ctx context.Context, t *task) error {
	word, _, _ := strings.Cut(string(t.message), " ")
	switch {
	case word == "die":
		if err := unix.Kill(unix.Getpid(), unix.SIGKILL); err != nil {
			return err
		}
		select {}
	case word == "fail":
		return errors.New("told to fail")
	case word == "stop" && t.source.Deliveries() == 1:
		goesOn := make(chan os.Signal, 1) // for this thread may run on for a while
		signal.Notify(goesOn, unix.SIGCONT)
		if err := unix.Kill(unix.Getpid(), unix.SIGSTOP); err != nil {
			return err
		}
		<-goesOn
	}
	return upper(ctx, t)
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

// must ends the test if there is an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
