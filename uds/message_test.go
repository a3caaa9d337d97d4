//go:build linux

package uds_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// Messages keep their boundaries and their order, both ways at once.
func TestMessages(t *testing.T) {
	messages := []string{"first", "", "a third, longer one", strings.Repeat("x", 60_000), "last"}
	for _, kind := range packets() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			for from, to := range map[end]end{p[0]: p[1], p[1]: p[0]} {
				for _, message := range messages {
					if n, err := from.TrySend([]byte(message)); n != len(message) || err != nil {
						t.Errorf("%s %s: TrySend(%d bytes) = %d, %v", kind, style, len(message), n, err)
					}
				}
				for _, message := range messages {
					receives(t, to, message)
				}
				if n, err := to.TryReceive(make([]byte, 1)); n != 0 || err != uds.ErrEmpty {
					t.Errorf("%s %s: TryReceive = %d, %v; want ErrEmpty", kind, style, n, err)
				}
			}
		}
	}
}

// A stream has no boundaries, and nothing empty.
func TestStream(t *testing.T) {
	leaktest.Check(t)
	for style, p := range ends(t, uds.Stream) {
		for _, part := range []string{"one", "", "two", "three"} {
			if n, err := p[0].TrySend([]byte(part)); n != len(part) || err != nil {
				t.Errorf("%s: TrySend(%q) = %d, %v", style, part, n, err)
			}
		}
		if n, err := p[1].TryReceive(nil); n != 0 || err != nil {
			t.Errorf("%s: TryReceive(nil) = %d, %v; want 0", style, n, err)
		}
		buf := make([]byte, 4)
		for _, want := range []string{"onet", "woth", "ree"} {
			if n, err := p[1].TryReceive(buf); string(buf[:n]) != want || err != nil {
				t.Errorf("%s: TryReceive = %q, %v; want %q", style, buf[:n], err, want)
			}
		}
		if n, err := p[1].TrySize(); n != 0 || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: TrySize = %d, %v; want errors.ErrUnsupported", style, n, err)
		}
	}
	a, _ := pair(t, uds.Stream)
	if n, err := a.Size(patient(t)); n != 0 || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Size = %d, %v; want errors.ErrUnsupported", n, err)
	}
}

// Parts are one message, also where there are none, empty ones, or many.
func TestParts(t *testing.T) {
	for _, kind := range kinds() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			for _, parts := range [][]string{{"head", "body"}, {"", "a", "", "b", ""}, make([]string, 3000), {}, strings.Split(strings.Repeat("x ", 1023)+"x", " ")} {
				bufs := make([][]byte, len(parts))
				for i, part := range parts {
					bufs[i] = []byte(part)
				}
				want := strings.Join(parts, "")
				if n, err := p[0].TrySendv(bufs...); n != len(want) || err != nil {
					t.Errorf("%s %s: TrySendv(%d parts of %d bytes) = %d, %v", kind, style, len(parts), len(want), n, err)
				}
				if kind != uds.Stream || want != "" {
					receives(t, p[1], want)
				}
			}
		}
	}
}

// The kernel takes 1024 parts in one call: a Stream needs several.
func TestManyParts(t *testing.T) {
	bufs := make([][]byte, 3000)
	for i := range bufs {
		bufs[i] = []byte{byte(i), byte(i >> 8)}
	}
	for _, kind := range kinds() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			n, err := p[0].TrySendv(bufs...)
			if kind != uds.Stream {
				if n != 0 || !errors.Is(err, unix.EMSGSIZE) {
					t.Errorf("%s %s: TrySendv(%d parts) = %d, %v; want EMSGSIZE", kind, style, len(bufs), n, err)
				}
				continue
			}
			if n != 6000 || err != nil {
				t.Fatalf("%s: TrySendv(%d parts) = %d, %v; want 6000", style, len(bufs), n, err)
			}
			read := make([]byte, 6001)
			for n = 0; n < 6000; {
				m, err := p[1].TryReceive(read[n:])
				must(t, err)
				n += m
			}
			for i := range bufs {
				if got := read[2*i : 2*i+2]; got[0] != bufs[i][0] || got[1] != bufs[i][1] {
					t.Fatalf("part %d is %v, want %v", i, got, bufs[i])
				}
			}
		}
	}
}

// A message that is longer than the buffer is an error that says how long it was.
func TestTruncated(t *testing.T) {
	for _, kind := range packets() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			for _, room := range []int{0, 1, 10, 99} {
				must(t, second(p[0].TrySend([]byte(strings.Repeat("0123456789", 10)))))
				must(t, second(p[0].TrySend([]byte("next"))))
				buf := make([]byte, room)
				n, err := p[1].TryReceive(buf)
				var cut *uds.TruncatedError
				if !errors.As(err, &cut) || *cut != (uds.TruncatedError{Size: 100, Buffer: room}) || !errors.Is(err, io.ErrShortBuffer) {
					t.Errorf("%s %s: TryReceive(%d bytes) of 100: %v, want a TruncatedError", kind, style, room, err)
				}
				if want := strings.Repeat("0123456789", 10)[:room]; n != room || string(buf) != want {
					t.Errorf("%s %s: TryReceive = %d, %q; want %d, %q", kind, style, n, buf, room, want)
				}
				receives(t, p[1], "next")
			}
		}
		// So it is where the message came while the call waited.
		a, b := pair(t, kind)
		n := 0
		call := waiting(t, func() (err error) {
			n, err = b.Receive(patient(t), make([]byte, 10))
			return err
		})
		must(t, second(a.Send(patient(t), make([]byte, 100))))
		var cut *uds.TruncatedError
		if err := result(t, call); !errors.As(err, &cut) || cut.Size != 100 || n != 10 {
			t.Errorf("%s: Receive(10 bytes) of 100 = %d, %v; want 10, a TruncatedError", kind, n, err)
		}
	}
}

// Size tells the size of the next message, and leaves it.
func TestSize(t *testing.T) {
	for _, kind := range packets() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			if n, err := p[1].TrySize(); n != 0 || err != uds.ErrEmpty {
				t.Errorf("%s %s: TrySize = %d, %v; want ErrEmpty", kind, style, n, err)
			}
			for _, size := range []int{77, 0, 100_000} {
				must(t, second(p[0].TrySend(make([]byte, size))))
			}
			for _, size := range []int{77, 0, 100_000} {
				for range 2 {
					if n, err := p[1].TrySize(); n != size || err != nil {
						t.Errorf("%s %s: TrySize = %d, %v; want %d", kind, style, n, err, size)
					}
				}
				if n, err := p[1].TryReceive(make([]byte, size)); n != size || err != nil {
					t.Errorf("%s %s: TryReceive = %d, %v; want %d", kind, style, n, err, size)
				}
			}
		}
		a, b := pair(t, kind)
		size := 0
		call := waiting(t, func() (err error) {
			size, err = b.Size(patient(t))
			return err
		})
		must(t, second(a.Send(patient(t), make([]byte, 77))))
		if err := result(t, call); size != 77 || err != nil {
			t.Errorf("%s: Size = %d, %v; want 77", kind, size, err)
		}
		must(t, a.Close())
		if n, err := b.Receive(patient(t), make([]byte, 77)); n != 77 || err != nil {
			t.Errorf("%s: Receive after Size = %d, %v; want 77", kind, n, err)
		}
		if _, err := b.TrySize(); kind == uds.SeqPacket && err != io.EOF {
			t.Errorf("%s: TrySize at the end: %v, want io.EOF", kind, err)
		}
	}
}

// An empty message is one, while the peer is there, and on a SeqPacket also if bytes
// follow it. The kernel tells no more.
func TestEmptyMessages(t *testing.T) {
	for _, kind := range packets() {
		leaktest.Check(t)
		for style, p := range ends(t, kind) {
			for range 3 {
				must(t, second(p[0].TrySend(nil)))
			}
			for range 3 {
				receives(t, p[1], "")
			}
			for _, message := range []string{"", "", "bytes", ""} {
				must(t, second(p[0].TrySend([]byte(message))))
			}
			must(t, p[0].Close())
			if n, err := p[1].TrySize(); n != 0 || err != nil {
				t.Errorf("%s %s: TrySize = %d, %v; want 0", kind, style, n, err)
			}
			for _, message := range []string{"", "", "bytes"} {
				receives(t, p[1], message)
			}
			want := error(nil)
			if kind == uds.SeqPacket {
				want = io.EOF
			}
			if n, err := p[1].TryReceive(make([]byte, 1)); n != 0 || err != want {
				t.Errorf("%s %s: TryReceive of a last empty message = %d, %v; want %v", kind, style, n, err, want)
			}
		}
	}
}

// Each method that sends has its own way into the kernel.
func TestEmptyByEveryMethod(t *testing.T) {
	for _, kind := range packets() {
		leaktest.Check(t)
		a, b := pair(t, kind)
		for what, send := range map[string]func() (int, error){
			"Send":       func() (int, error) { return a.Send(patient(t), nil) },
			"Sendv":      func() (int, error) { return a.Sendv(patient(t)) },
			"Write":      func() (int, error) { return a.Write([]byte{}) },
			"TrySend":    func() (int, error) { return a.TrySend(nil) },
			"TrySendv":   func() (int, error) { return a.TrySendv(nil, nil) },
			"SendFDs":    func() (int, error) { return a.SendFDs(patient(t), nil) },
			"TrySendFDs": func() (int, error) { return a.TrySendFDs(nil) },
		} {
			if n, err := send(); n != 0 || err != nil {
				t.Errorf("%s: %s(nothing) = %d, %v; want 0", kind, what, n, err)
			}
			if n, err := b.TryReceive(make([]byte, 1)); n != 0 || err != nil {
				t.Errorf("%s: TryReceive after %s = %d, %v; want 0", kind, what, n, err)
			}
		}
	}
}
