package framingtest_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/framing/framingtest"
)

// semi is a sound codec of frames that end with ";;".
type semi struct{}

func (semi) Split(data []byte, seen int) (int, error) {
	from := max(0, seen-1)
	if i := bytes.Index(data[from:], []byte(";;")); i >= 0 {
		return from + i + 2, nil
	}
	return 0, nil
}

func (semi) Resync(data []byte) (int, bool) {
	if i := bytes.Index(data, []byte(";;")); i >= 0 {
		return i + 2, true
	}
	return max(0, len(data)-1), false
}

func (semi) AppendFrame(dst, payload []byte) ([]byte, error) {
	if bytes.Contains(append(payload[:len(payload):len(payload)], ';'), []byte(";;")) {
		return dst, errors.New("delimiter in payload")
	}
	return append(append(dst, payload...), ";;"...), nil
}

func (semi) Payload(frame []byte) []byte {
	n := len(frame) - 2
	return frame[:n:n]
}

func samples() []string { return []string{";;", "a;;", "b;c;;", "the longest;;"} }

func TestSoundCodec(t *testing.T) {
	if err := framingtest.TestSplitter(func() framing.Splitter { return semi{} }, samples()...); err != nil {
		t.Errorf("TestSplitter: %v", err)
	}
	if err := framingtest.TestCodec(func() framingtest.Codec { return semi{} }, "", "a", "b;c"); err != nil {
		t.Errorf("TestCodec: %v", err)
	}
	if err := framingtest.TestRefusal(func() framingtest.Codec { return semi{} }, "a;"); err != nil {
		t.Errorf("TestRefusal: %v", err)
	}
	if err := framingtest.TestError(func() framing.Splitter { return semi{} }, "a;;over the limit", 8, framing.ErrTooLong); err != nil {
		t.Errorf("TestError: %v", err)
	}
}

// A counted frame is a byte that counts itself and what follows. Its Splitter
// has a state, as those of nested protocols do.
type counted struct{ length int }

func (c *counted) Split(data []byte, seen int) (int, error) {
	if seen == 0 {
		c.length = int(data[0])
	}
	if c.length == 0 {
		return 0, framing.ErrCorrupt
	}
	if len(data) < c.length {
		return 0, nil
	}
	return c.length, nil
}

// roomy is a counted that brings memory of its own.
type roomy struct {
	counted
	table []byte
}

func newRoomy() framing.Splitter { return &roomy{table: make([]byte, 8<<10)} }

func TestSoundStatefulSplitter(t *testing.T) {
	if err := framingtest.TestSplitter(newRoomy, "\x01", "\x03ab"); err != nil {
		t.Error(err)
	}
	frames := []string{"\x01", "\x03ab", "\x0cabcdefghijk"}
	if err := framingtest.TestSplitter(func() framing.Splitter { return new(counted) }, frames...); err != nil {
		t.Error(err)
	}
}

// A broken Splitter, and the law that it breaks.
type broken struct {
	law   string
	split framing.SplitterFunc
}

// brokenAnswers find wrong boundaries.
func brokenAnswers() map[string]broken {
	return map[string]broken{
		"trusts the hint too far": {"hint", func(data []byte, seen int) (int, error) {
			if i := bytes.Index(data[seen:], []byte(";;")); i >= 0 {
				return seen + i + 2, nil
			}
			return 0, nil
		}},
		"takes all in hand": {"split", func(data []byte, _ int) (int, error) {
			return bytes.LastIndex(data, []byte(";;")) + 2*min(1, bytes.Count(data, []byte(";;"))), nil
		}},
		"swallows a third": {"split", func(data []byte, _ int) (int, error) {
			i := bytes.Index(data, []byte(";;"))
			if i < 0 {
				return 0, nil
			}
			if len(data) > i+2 && data[i+2] == 0 {
				return i + 3, nil
			}
			return i + 2, nil
		}},
		"refuses what is short": {"split", func(data []byte, seen int) (int, error) {
			if len(data) < 2 {
				return 0, framing.ErrCorrupt
			}
			return semi{}.Split(data, seen)
		}},
		"answers for one byte": {"split", func(data []byte, seen int) (int, error) {
			if len(data) == 1 {
				return 1, nil
			}
			return semi{}.Split(data, seen)
		}},
		"ends a byte early": {"split", func(data []byte, seen int) (int, error) {
			n, err := semi{}.Split(data, seen)
			return max(0, n-1), err
		}},
	}
}

// brokenManners find the right boundaries in a wrong way.
func brokenManners() map[string]broken {
	return map[string]broken{
		"looks behind the slice": {"panic", func(data []byte, _ int) (int, error) {
			if data = data[:len(data)+1]; len(data) > 3 {
				return 3, nil
			}
			return 0, nil
		}},
		"writes": {"data", func(data []byte, seen int) (int, error) {
			n, err := semi{}.Split(data, seen)
			if n == 0 && len(data) > 2 {
				data[0] = '!'
			}
			return n, err
		}},
		"allocates": {"memory", func(data []byte, _ int) (int, error) {
			_, _, ok := strings.Cut(fmt.Sprint(string(data)), ";;")
			if !ok {
				return 0, nil
			}
			return semi{}.Split(data, 0)
		}},
		"allocates while it waits": {"memory", func(data []byte, seen int) (int, error) {
			n, err := semi{}.Split(data, seen)
			if n == 0 {
				_ = fmt.Sprint(string(data))
			}
			return n, err
		}},
		"writes behind the frame": {"data", func(data []byte, seen int) (int, error) {
			n, err := semi{}.Split(data, seen)
			if 0 < n && n < len(data) {
				data[n] ^= 1
			}
			return n, err
		}},
	}
}

func TestBrokenSplitters(t *testing.T) {
	all := brokenAnswers()
	maps.Copy(all, brokenManners())
	for name, b := range all {
		err := framingtest.TestSplitter(func() framing.Splitter { return b.split }, samples()...)
		if err == nil || !strings.Contains(err.Error(), b.law) {
			t.Errorf("%s: %v; want a report on %q", name, err, b.law)
		}
	}
}

// sloppy resyncs behind half a delimiter.
type sloppy struct{ semi }

func (sloppy) Resync(data []byte) (int, bool) {
	if i := bytes.Index(data, []byte(";;")); i >= 0 {
		return i + 2, true
	}
	return len(data), false
}

// lazy finds the next frame where the oversize one begins.
type lazy struct{ semi }

func (lazy) Resync([]byte) (int, bool) { return 0, true }

func TestBrokenResyncers(t *testing.T) {
	for _, s := range []framing.Splitter{sloppy{}, lazy{}} {
		err := framingtest.TestSplitter(func() framing.Splitter { return s }, samples()...)
		if err == nil || !strings.Contains(err.Error(), "discard") {
			t.Errorf("%T: %v; want a report on %q", s, err, "discard")
		}
	}
}

// moody gives another answer when the frame has been seen before.
type moody struct{ semi }

func (moody) Split(data []byte, seen int) (int, error) {
	if seen > 5 {
		return 0, framing.ErrCorrupt
	}
	return semi{}.Split(data, seen)
}

func TestBrokenError(t *testing.T) {
	err := framingtest.TestError(func() framing.Splitter { return moody{} }, "a;;over the limit", 8, framing.ErrTooLong)
	if err == nil {
		t.Error("TestError took errors that depend on the cut")
	}
	err = framingtest.TestError(func() framing.Splitter { return semi{} }, "a;;b", 0, framing.ErrTooLong)
	if err == nil {
		t.Error("TestError took a stream that is not too long")
	}
}

func TestNoSamples(t *testing.T) {
	if err := framingtest.TestSplitter(func() framing.Splitter { return semi{} }); err == nil {
		t.Error("TestSplitter without frames = nil; want an error")
	}
	if err := framingtest.TestSplitter(func() framing.Splitter { return semi{} }, ""); err == nil {
		t.Error("TestSplitter with an empty frame = nil; want an error")
	}
}

func ExampleTestSplitter() {
	newline := framing.SplitterFunc(func(data []byte, seen int) (int, error) {
		return bytes.IndexByte(data, '\n') + 1, nil
	})
	greedy := framing.SplitterFunc(func(data []byte, seen int) (int, error) {
		return bytes.LastIndexByte(data, '\n') + 1, nil
	})
	for _, s := range []framing.Splitter{newline, greedy} {
		err := framingtest.TestSplitter(func() framing.Splitter { return s }, "\n", "a line\n")
		fmt.Println(strings.SplitAfterN(fmt.Sprint(err), "want", 2)[0])
	}
	// Output:
	// <nil>
	// framingtest: split: Split("\n\r\n", 0) = 3, <nil>; want
}
