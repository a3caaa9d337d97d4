//go:build linux

package uds_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// numbered makes messages with numbers and of random sizes, the same ones in every
// process with that seed.
type numbered struct {
	rand  *rand.Rand
	noise []byte
	next  uint64
	head  [8]byte
}

// newNumbered returns the messages of a seed.
func newNumbered(seed uint64) *numbered {
	return &numbered{rand: rand.New(rand.NewPCG(seed, 0)), noise: noise(120_000)}
}

// message returns the parts of the next message, together 8 to 60,000 bytes, nearly
// all of them small.
func (m *numbered) message() (head, body []byte) {
	binary.NativeEndian.PutUint64(m.head[:], m.next)
	m.next++
	from := m.rand.IntN(60_000)
	size := m.rand.IntN(1000)
	if m.next%100 == 0 {
		size = m.rand.IntN(60_000 - 8)
	}
	return m.head[:], m.noise[from : from+size]
}

// sendAll sends count messages.
func (m *numbered) sendAll(ctx context.Context, c *uds.Conn, count int) error {
	for range count {
		head, body := m.message()
		n, err := c.Sendv(ctx, head, body)
		if err != nil {
			return err
		}
		if n != len(head)+len(body) {
			return io.ErrShortWrite
		}
	}
	return nil
}

// receiveAll receives count messages, and checks them.
func (m *numbered) receiveAll(ctx context.Context, c *uds.Conn, count int) error {
	buf := make([]byte, 64<<10)
	for i := range count {
		head, body := m.message()
		size := len(head) + len(body)
		p := buf
		var n int
		var err error
		if c.Kind() == uds.Stream {
			n, err = io.ReadFull(c, p[:size])
		} else {
			n, err = c.Receive(ctx, p)
		}
		if err != nil {
			return fmt.Errorf("message %d of %d bytes: %d, %w", i, size, n, err)
		}
		if n != size || !bytes.Equal(p[:8], head) || !bytes.Equal(p[8:n], body) {
			return fmt.Errorf("message %d of %d bytes: %d others", i, size, n)
		}
	}
	return nil
}

// newSeed returns a seed, that of PLAIT_SEED if it is set, and logs it.
func newSeed(tb testing.TB) uint64 {
	tb.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PLAIT_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 0, 64)
		must(tb, err)
		seed = n
	}
	tb.Logf("PLAIT_SEED=%d makes this trial again", seed)
	return seed
}

// manyMessages is how many go through one connection.
func manyMessages() int {
	if testing.Short() {
		return 10_000
	}
	return 100_000
}

// Many messages arrive, each once, whole, and in order.
func TestManyMessages(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			seed := newSeed(t)
			a, b := pair(t, kind)
			must(t, b.SetReadDeadline(time.Now().Add(4*patience)))
			sent := make(chan error, 1)
			go func() { sent <- newNumbered(seed).sendAll(t.Context(), a, manyMessages()) }()
			must(t, newNumbered(seed).receiveAll(t.Context(), b, manyMessages()))
			must(t, result(t, sent))
			if n, err := b.TryReceive(make([]byte, 1)); err != uds.ErrEmpty {
				t.Errorf("TryReceive behind the last = %d, %v; want ErrEmpty", n, err)
			}
		})
	}
}

// So they do from one process to another, and back.
func TestManyMessagesBetweenProcesses(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			leaktest.Check(t)
			seed := newSeed(t)
			a, b := pair(t, kind)
			f, err := b.File()
			must(t, err)
			partner := startChild(t, "numbered", []string{strconv.FormatUint(seed, 10), strconv.Itoa(manyMessages())}, f)
			must(t, errors.Join(f.Close(), b.Close()))
			must(t, a.SetReadDeadline(time.Now().Add(4*patience)))
			sent := make(chan error, 1)
			go func() { sent <- newNumbered(seed).sendAll(t.Context(), a, manyMessages()/16) }()
			must(t, newNumbered(seed).receiveAll(t.Context(), a, manyMessages()))
			must(t, result(t, sent))
			partner.expect(t, "done")
		})
	}
}

// numberedChild sends messages on descriptor 3, and receives some.
func numberedChild(args []string) error {
	seed, _ := strconv.ParseUint(args[0], 10, 64) // the parent made them
	count, _ := strconv.Atoi(args[1])
	f := os.NewFile(3, "socket")
	c, err := uds.FromFile(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	received := make(chan error, 1)
	go func() { received <- newNumbered(seed).receiveAll(ctx, c, count/16) }()
	if err := newNumbered(seed).sendAll(ctx, c, count); err != nil {
		return err
	}
	if err := <-received; err != nil {
		return err
	}
	return errors.Join(c.Close(), f.Close(), say("done"))
}
