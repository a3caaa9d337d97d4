//go:build linux

package procpool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/procpool"
	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

// consumers is a manager of workers that consume from a queue.
func consumers(ctx context.Context, c *userprocess.Child) error {
	g := &procpool.Group{Name: "consume", Count: 2, Command: userprocess.Command{Role: "consume", Args: c.Args()}}
	pool, err := procpool.New([]*procpool.Group{g}, nil)
	if err != nil {
		return err
	}
	return pool.Run(ctx)
}

// consume prints what is in a queue. It puts aside what is none of ours.
func consume(ctx context.Context, w *procpool.Worker) error {
	id, err := strconv.Atoi(w.Args()[0])
	if err != nil {
		return err
	}
	q, err := sysvmsg.OpenID(id)
	if err != nil {
		return err
	}
	aside, err := envelope.OpenJournal(w.Args()[1])
	if err != nil {
		return err
	}
	in, err := envelope.NewConsumer(q, aside, &envelope.Options{Schema: 7})
	if err != nil {
		return err
	}
	if err := w.Ready(); err != nil {
		return err
	}
	err = w.Consume(ctx, in.Source(sysvmsg.Any()), func(_ context.Context, message []byte) error {
		_, err := fmt.Printf("%s\n", message) //nolint:forbidigo // a program
		return err
	})
	return errors.Join(err, aside.Close())
}

// Messages in a System V queue survive the manager and all of its workers. Those that
// come next consume them, and put aside what somebody else has left there.
func TestQueueSurvivesTheManager(t *testing.T) {
	leaktest.Check(t)
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := q.Remove(); err != nil {
			t.Error(err)
		}
	}()
	journal := filepath.Join(t.TempDir(), "aside")
	command := &userprocess.Command{Role: "consumers", Args: []string{strconv.Itoa(q.ID()), journal}}
	out := envelope.NewProducer(q, 7)
	for round := range 3 {
		var want []string
		for i := range 20 {
			if i%10 == 5 {
				if err := q.Send(t.Context(), 1, []byte("dirt of an earlier time")); err != nil {
					t.Fatal(err)
				}
			}
			want = append(want, fmt.Sprintf("message %d of round %d", i, round))
			if err := out.Send(t.Context(), 1, []byte(want[i])); err != nil {
				t.Fatal(err)
			}
		}
		got, err := consumeThenKill(t, command, len(want))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("round %d: consumed %q", round, got)
		}
	}
	f, err := os.Open(journal)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	aside := 0
	for record, err := range envelope.NewJournalReader(f).All() {
		if aside++; err != nil || string(record.Message) != "dirt of an earlier time" {
			t.Errorf("aside: %q, %v", record.Message, err)
		}
	}
	if aside != 6 {
		t.Errorf("%d messages aside, want 6", aside)
	}
}

// consumeThenKill starts a manager, kills it when its workers have printed n lines,
// and returns these and all that follow until the last of the workers is gone.
func consumeThenKill(t *testing.T, command *userprocess.Command, n int) ([]string, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	command.Files = map[string]syscall.Conn{"stdout": w}
	m, err := command.Start(t.Context())
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	var got []string
	lines := bufio.NewScanner(r)
	for len(got) < n && lines.Scan() {
		got = append(got, lines.Text())
	}
	err = m.Signal(unix.SIGKILL)
	for lines.Scan() {
		got = append(got, lines.Text())
	}
	_, waitErr := m.Wait()
	return got, errors.Join(err, lines.Err(), waitErr, m.Close())
}
