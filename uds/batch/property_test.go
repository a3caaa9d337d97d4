//go:build linux

package batch_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/plait-go/plait/uds/batch"
)

// Whatever the connection has room for, and however large its packets may be at the
// moment: what was added comes out, once and in order, and nothing else does.
//
// The trials are the same ones each time, unless PLAIT_SEED names others.
func TestProperty(t *testing.T) {
	seed := int64(1)
	if text := os.Getenv("PLAIT_SEED"); text != "" {
		n, err := strconv.ParseInt(text, 0, 64)
		must(t, err)
		seed = n
	}
	parameters := gopter.DefaultTestParametersWithSeed(seed)
	parameters.MinSuccessfulTests = 2000
	parameters.MaxSize = 200
	properties := gopter.NewProperties(parameters)
	properties.Property("what is added comes out", prop.ForAll(play, gen.Bool(), gen.UInt8(), gen.UInt8(), gen.SliceOf(gen.UInt16())))
	properties.TestingRun(t)
}

// play carries out steps, and tells what went wrong. A step is a verb and a number.
func play(stream bool, size, room uint8, steps []uint16) string {
	kind := batch.Packets
	if stream {
		kind = batch.Stream
	}
	o := &batch.Options{Size: 8 + int(size)%64, Max: 150}
	f := &fake{kind: kind, room: 72 + int(room), piece: 1 + int(room)%50}
	w := batch.NewTryWriter(f, kind, o)
	r := batch.NewTryReader(f, kind, o)
	var queue [][]byte // what was added and has not come out
	take := func() string {
		p, err := r.TryNext()
		switch {
		case err != nil:
			if !errors.Is(err, errEmpty) {
				return fmt.Sprintf("TryNext() = %v", err)
			}
			return ""
		case len(queue) == 0 || !bytes.Equal(p, queue[0]):
			return fmt.Sprintf("TryNext() = %q; want the first of %q", p, queue)
		}
		queue = queue[1:]
		return ""
	}
	for i, s := range steps {
		fault := ""
		switch n := int(s / 8); s % 8 {
		case 0, 1, 2, 3:
			fault = add(f, w, record(i, n%(w.Max()+2)), &queue)
		case 4:
			fault = pending(w, w.TryFlush())
		case 5, 6:
			fault = take()
		case 7:
			f.most = 12 + n%200 // which may be too little for one record
		}
		if fault != "" {
			return fmt.Sprintf("step %d: %s", i, fault)
		}
	}
	f.most, f.room = 0, 0
	if fault := pending(w, w.TryFlush()); fault != "" {
		return fault
	}
	for len(f.queue) > 0 || r.Buffered() > 0 {
		if fault := take(); fault != "" {
			return "at the end: " + fault
		}
	}
	if len(queue) > 0 {
		return fmt.Sprintf("%d records never came out", len(queue))
	}
	return ""
}

// add adds p, which takes effect or does not.
func add(f *fake, w *batch.TryWriter, p []byte, queue *[][]byte) string {
	before, used, calls := w.Buffered(), f.used, f.calls
	err := w.TryAdd(p)
	moved := f.used - used // bytes that were sent
	switch {
	case err == nil:
		*queue = append(*queue, p)
		before += batch.HeaderSize + len(p)
	case len(p) > w.Max():
		if !errors.Is(err, batch.ErrTooLong) || f.calls != calls {
			return fmt.Sprintf("TryAdd(%d bytes) = %v after %d calls; want ErrTooLong", len(p), err, f.calls-calls)
		}
	case !refusal(err):
		return fmt.Sprintf("TryAdd(%d bytes) = %v", len(p), err)
	}
	if w.Buffered() != before-moved {
		return fmt.Sprintf("TryAdd(%d bytes) = %v sent %d bytes and left %d; want %d", len(p), err, moved, w.Buffered(), before-moved)
	}
	return ""
}

// pending checks that what is pending after a flush agrees with its error.
func pending(w *batch.TryWriter, err error) string {
	if err != nil && !refusal(err) || (err == nil) != (w.Buffered() == 0) {
		return fmt.Sprintf("TryFlush() = %v, %d bytes pending", err, w.Buffered())
	}
	return ""
}

// refusal reports whether err says that there is no room now.
func refusal(err error) bool { return errors.Is(err, errFull) || errors.Is(err, errTooLarge) }
