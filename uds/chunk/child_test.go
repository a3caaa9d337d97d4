//go:build linux

package chunk_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// childVariable makes this program a child that sends messages. It is the number that
// the messages begin with.
const childVariable = "PLAIT_CHUNK_CHILD"

// TestMain runs the tests, or is one of the children that they start.
func TestMain(m *testing.M) {
	number := os.Getenv(childVariable)
	if number == "" {
		m.Run()
		return
	}
	if err := sendForever(number); err != nil {
		panic(fmt.Sprintf("child %s: %v", number, err))
	}
}

// childMessage is message i of a child: its numbers, and up to 300 000 bytes more.
func childMessage(child, i int) []byte {
	p := message(child+i, 8+i*7919%300_000)
	binary.BigEndian.PutUint32(p, uint32(child))
	binary.BigEndian.PutUint32(p[4:], uint32(i))
	return p
}

// sendForever sends the messages of a child until nobody is there to receive them.
func sendForever(number string) error {
	child, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	conn, err := uds.FromFile(os.NewFile(3, "inbox"))
	if err != nil {
		return err
	}
	w := chunk.NewWriter(conn, &chunk.Options{Single: 100_000})
	for i := 0; ; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := w.Send(ctx, childMessage(child, i))
		cancel()
		if err != nil {
			return err
		}
	}
}

// Processes that send to one inbox are killed, two at a time. Each message that comes
// is whole and the next one of its sender; each child leaves the beginning of one
// message, at most.
func TestKilledSenders(t *testing.T) {
	const rounds = 6
	a, b := pair(t, uds.Datagram)
	inbox, err := a.File()
	must(t, err)
	defer func() { must(t, inbox.Close()) }()
	r := chunk.NewReader(b, nil)
	seen := make([]int, 2*rounds)
	receive := func(msg []byte) {
		child := int(binary.BigEndian.Uint32(msg))
		if child >= len(seen) || !bytes.Equal(msg, childMessage(child, seen[child])) {
			t.Fatalf("%d bytes that begin with %x are not the next message", len(msg), msg[:8])
		}
		seen[child]++
	}
	ctx := patient(t)
	for round := range rounds {
		kill := []func(){startChild(t, 2*round, inbox), startChild(t, 2*round+1, inbox)}
		for more := rand.IntN(30); more > 0 || seen[2*round] == 0 || seen[2*round+1] == 0; more-- {
			msg, err := r.Receive(ctx)
			must(t, err)
			receive(msg)
		}
		kill[0]()
		kill[1]()
		for {
			msg, done, err := r.TryReceive()
			if errors.Is(err, uds.ErrEmpty) {
				break
			}
			must(t, err)
			if done {
				receive(msg)
			}
		}
	}
	s := r.Stats()
	if unaccounted(s) != 0 || s.Incomplete > 2*rounds || s.Orphans+s.Malformed+s.Truncated+s.Broken+s.Evicted > 0 {
		t.Errorf("Stats: %+v", s)
	}
	r.Expire(time.Now().Add(time.Hour))
	if s = r.Stats(); s.Incomplete != 0 || s.Packets != s.Chunks+s.Lost {
		t.Errorf("Stats after an hour: %+v", s)
	}
}

// startChild starts a child that sends to inbox. It returns what kills it, which the
// end of the test does otherwise.
func startChild(tb testing.TB, number int, inbox *os.File) (kill func()) {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+strconv.Itoa(number))
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{inbox}
	must(tb, cmd.Start())
	kill = func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // or it has ended
			_ = cmd.Wait()         // says that it was killed
		}
	}
	tb.Cleanup(kill)
	return kill
}
