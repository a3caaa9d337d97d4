//go:build linux

package batch_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/batch"
)

// A batch is lengths and bytes, from end to end, and one call.
func TestFormat(t *testing.T) {
	for _, kind := range []batch.Kind{batch.Packets, batch.Stream} {
		f := &fake{kind: kind}
		w := batch.NewWriter(f, kind, nil)
		for _, s := range []string{"one", "", "three"} {
			if err := w.Add(t.Context(), []byte(s)); err != nil {
				t.Fatalf("Add(%q) = %v", s, err)
			}
		}
		if n := w.Buffered(); n != 20 || f.calls != 0 {
			t.Errorf("Buffered() = %d after %d calls; want 20 after 0", n, f.calls)
		}
		must(t, w.Flush(t.Context()))
		must(t, w.Flush(t.Context()))
		want := [][]byte{[]byte("\x00\x00\x00\x03one\x00\x00\x00\x00\x00\x00\x00\x05three")}
		if diff := cmp.Diff(want, f.queue); diff != "" || f.calls != 1 {
			t.Errorf("%d calls, want 1; -want +got:\n%s", f.calls, diff)
		}
		if n := w.Buffered(); n != 0 {
			t.Errorf("Buffered() = %d after Flush; want 0", n)
		}
	}
}

// A stream of batches is what package lengthfield writes.
func TestLengthField(t *testing.T) {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: batch.HeaderSize})
	must(t, err)
	var framed bytes.Buffer
	fw := framing.NewWriter(&framed, codec)
	f := &fake{kind: batch.Stream}
	w := batch.NewWriter(f, batch.Stream, &batch.Options{Size: 50})
	for i := range 100 {
		must(t, w.Add(t.Context(), record(i, i)))
		_, err := fw.Write(record(i, i))
		must(t, err)
	}
	must(t, fw.Flush())
	must(t, w.Flush(t.Context()))
	if sent := bytes.Join(f.queue, nil); !bytes.Equal(sent, framed.Bytes()) {
		t.Errorf("%d bytes, %d of lengthfield's, are not the same", len(sent), framed.Len())
	}
}

// A batch goes out when the next record would not fit, and not before.
func TestFits(t *testing.T) {
	const size = 64
	for _, kind := range []batch.Kind{batch.Packets, batch.Stream} {
		for first := range size - batch.HeaderSize + 1 {
			f := &fake{kind: kind}
			w := batch.NewTryWriter(f, kind, &batch.Options{Size: size})
			must(t, w.TryAdd(record(1, first)))
			fits := size - first - 2*batch.HeaderSize
			if fits >= 0 {
				must(t, w.TryAdd(record(2, fits)))
			}
			if f.calls != 0 {
				t.Fatalf("kind %d: %d bytes sent, there was room", kind, f.used)
			}
			must(t, w.TryAdd(record(3, 1)))
			if want := size - max(0, -fits); f.calls != 1 || fits >= 0 && f.used != want {
				t.Errorf("kind %d: records of %d and %d bytes: %d bytes in %d batches; want %d in 1", kind, first, fits, f.used, f.calls, want)
			}
		}
	}
}

func TestTooLong(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind batch.Kind
		o    *batch.Options
		max  int
	}{
		{"packets", batch.Packets, nil, batch.DefaultSize - batch.HeaderSize},
		{"small packets", batch.Packets, &batch.Options{Size: 100, Max: 1 << 20}, 96},
		{"packets for nothing", batch.Packets, &batch.Options{Size: 1}, 0},
		{"stream", batch.Stream, nil, batch.DefaultMax},
		{"stream with Max", batch.Stream, &batch.Options{Size: 100, Max: 1000}, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{kind: tt.kind}
			w := batch.NewTryWriter(f, tt.kind, tt.o)
			if got := w.Max(); got != tt.max {
				t.Errorf("Max() = %d; want %d", got, tt.max)
			}
			if tt.max >= 2 {
				must(t, w.TryAdd(record(0, 2)))
			}
			before := w.Buffered()
			if err := w.TryAdd(make([]byte, tt.max+1)); !errors.Is(err, batch.ErrTooLong) {
				t.Errorf("TryAdd(%d bytes) = %v; want ErrTooLong", tt.max+1, err)
			}
			if w.Buffered() != before || f.calls != 0 {
				t.Errorf("%d bytes pending after %d calls; want %d after 0", w.Buffered(), f.calls, before)
			}
			if err := w.TryAdd(make([]byte, tt.max)); err != nil {
				t.Errorf("TryAdd(%d bytes) = %v", tt.max, err)
			}
			must(t, w.TryFlush())
		})
	}
}

// A packet that is too large after all goes out in parts, which end where records do.
func TestSplits(t *testing.T) {
	f := &fake{most: 100}
	w := batch.NewTryWriter(f, batch.Packets, nil)
	var want [][]byte
	for i := range 50 {
		want = append(want, record(i, i+1))
		must(t, w.TryAdd(want[i]))
	}
	must(t, w.TryFlush())
	if len(f.queue) < 14 || len(f.queue) > 40 {
		t.Errorf("%d packets of 100 bytes for 1475", len(f.queue))
	}
	if diff := cmp.Diff(want, drain(t, batch.NewTryReader(f, batch.Packets, nil))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A record that no packet takes stays, until one does.
func TestStays(t *testing.T) {
	f := &fake{most: 100}
	w := batch.NewTryWriter(f, batch.Packets, nil)
	want := [][]byte{record(0, 96), record(1, 97), record(2, 0)}
	for _, p := range want {
		must(t, w.TryAdd(p))
	}
	for range 2 {
		if err := w.TryFlush(); !errors.Is(err, syscall.EMSGSIZE) || w.Buffered() != 105 || len(f.queue) != 1 {
			t.Fatalf("TryFlush() = %v, %d bytes pending, %d packets sent; want EMSGSIZE, 105, 1", err, w.Buffered(), len(f.queue))
		}
	}
	f.most = 101
	must(t, w.TryFlush())
	if diff := cmp.Diff(want, drain(t, batch.NewTryReader(f, batch.Packets, nil))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// limited is a fake that tells the largest packet.
type limited struct {
	fake
	err error
}

func (l *limited) MaxMessage() (int, error) { return l.most, l.err }

func TestMaxMessage(t *testing.T) {
	for _, tt := range []struct {
		most, size int
		err        error
		max        int
	}{
		{100, 200, nil, 96},
		{200, 100, nil, 96},
		{3, 100, nil, 0},
		{100, 200, io.ErrClosedPipe, 196},
	} {
		l := &limited{fake: fake{most: tt.most}, err: tt.err}
		w := batch.NewWriter(l, batch.Packets, &batch.Options{Size: tt.size})
		if got := w.Max(); got != tt.max {
			t.Errorf("MaxMessage %d, %v, Size %d: Max() = %d; want %d", tt.most, tt.err, tt.size, got, tt.max)
		}
	}
	w := batch.NewWriter(&limited{fake: fake{kind: batch.Stream, most: 10}}, batch.Stream, nil)
	if got := w.Max(); got != batch.DefaultMax {
		t.Errorf("on a stream Max() = %d; want %d", got, batch.DefaultMax)
	}
}

// The memory for a long record goes when it is sent.
func TestLongRecordGoesOut(t *testing.T) {
	const long = 8 << 20
	f := &fake{kind: batch.Stream}
	w := batch.NewTryWriter(f, batch.Stream, &batch.Options{Max: long})
	must(t, w.TryAdd(make([]byte, long)))
	if n := w.Buffered(); n != long+batch.HeaderSize {
		t.Errorf("Buffered() = %d; want %d", n, long+batch.HeaderSize)
	}
	must(t, w.TryFlush())
	f.queue = nil
	with := heap()
	runtime.KeepAlive(w)
	if kept := with - heap(); kept > long/2 {
		t.Errorf("a TryWriter keeps %d bytes after a record of %d", kept, long)
	}
}

// A stream may say what it likes: only packets are too large.
func TestStreamSaysTooLarge(t *testing.T) {
	f := &fake{kind: batch.Stream, room: 6}
	w := batch.NewTryWriter(f, batch.Stream, nil)
	must(t, w.TryAdd([]byte("one")))
	must(t, w.TryAdd([]byte("two")))
	if err := w.TryFlush(); !errors.Is(err, errFull) || w.Buffered() != 8 {
		t.Fatalf("TryFlush() = %v, %d bytes pending; want %v, 8", err, w.Buffered(), errFull)
	}
	f.failure = errTooLarge
	if err := w.TryFlush(); !errors.Is(err, errTooLarge) || w.Buffered() != 8 {
		t.Errorf("TryFlush() = %v, %d bytes pending; want %v, 8", err, w.Buffered(), errTooLarge)
	}
}

// A broken is a connection that sends less than it says.
type broken struct{}

func (broken) TrySend([]byte) (int, error) { return 1, nil }

func TestShortWrite(t *testing.T) {
	for _, kind := range []batch.Kind{batch.Packets, batch.Stream} {
		w := batch.NewTryWriter(broken{}, kind, nil)
		must(t, w.TryAdd([]byte("record")))
		if err := w.TryFlush(); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("TryFlush() = %v; want ErrShortWrite", err)
		}
	}
}

// A Flush that ends early leaves the rest, and the next one goes on with it.
func TestEndedFlush(t *testing.T) {
	for _, kind := range []batch.Kind{batch.Packets, batch.Stream} {
		f := &fake{kind: kind, room: 30}
		w := batch.NewWriter(f, kind, &batch.Options{Size: 20})
		r := batch.NewReader(f, kind, nil)
		ctx, cause := canceled(t)
		var got, want [][]byte
		for i := range 200 {
			p := record(i, i%17)
			for w.Add(ctx, p) != nil {
				if err := w.Flush(ctx); !errors.Is(err, cause) {
					t.Fatalf("Flush() = %v; want %v", err, cause)
				}
				got = append(got, drain(t, &r.TryReader)...)
			}
			want = append(want, p)
		}
		for w.Flush(ctx) != nil {
			got = append(got, drain(t, &r.TryReader)...)
		}
		got = append(got, drain(t, &r.TryReader)...)
		if diff := cmp.Diff(want, got); diff != "" || f.refused == 0 {
			t.Errorf("kind %d: %d refusals; -want +got:\n%s", kind, f.refused, diff)
		}
	}
}

// drain returns copies of the records that can be had at once.
func drain(tb testing.TB, r *batch.TryReader) (records [][]byte) {
	tb.Helper()
	for {
		p, err := r.TryNext()
		if errors.Is(err, errEmpty) {
			return records
		}
		if err != nil {
			tb.Fatalf("TryNext() = %v after %d records", err, len(records))
		}
		records = append(records, bytes.Clone(p))
	}
}

// A record longer than Max is refused also where the batch has room for it.
func TestMaxBelowSize(t *testing.T) {
	a, b := pair(t, uds.Stream)
	o := &batch.Options{Max: 1000}
	w, r := batch.NewWriter(a, batch.Stream, o), batch.NewReader(b, batch.Stream, o)
	if err := w.Add(t.Context(), make([]byte, 1001)); !errors.Is(err, batch.ErrTooLong) {
		t.Errorf("Add(1001 bytes) = %v; want ErrTooLong", err)
	}
	must(t, w.Add(t.Context(), make([]byte, 1000)))
	must(t, w.Flush(t.Context()))
	if p, err := r.Next(t.Context()); len(p) != 1000 || err != nil {
		t.Errorf("Next() = %d bytes, %v; want 1000", len(p), err)
	}
}
