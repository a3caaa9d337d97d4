package framingtest_test

import (
	"bytes"
	"errors"
	"fmt"
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

func TestSoundStatefulSplitter(t *testing.T) {
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

func brokenSplitters() map[string]broken {
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
		"ends a byte early": {"split", func(data []byte, seen int) (int, error) {
			n, err := semi{}.Split(data, seen)
			return max(0, n-1), err
		}},
	}
}

func TestBrokenSplitters(t *testing.T) {
	for name, b := range brokenSplitters() {
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

func TestBrokenResyncer(t *testing.T) {
	err := framingtest.TestSplitter(func() framing.Splitter { return sloppy{} }, samples()...)
	if err == nil || !strings.Contains(err.Error(), "discard") {
		t.Errorf("%v; want a report on %q", err, "discard")
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

type (
	lossy   struct{ semi } // strips a blank
	greedy  struct{ semi } // gives payloads that reach into the delimiter
	untidy  struct{ semi } // leaves half a frame behind on error
	changes struct{ semi } // writes to the payload
	fresh   struct{ semi } // forgets what is in dst
)

func (lossy) AppendFrame(dst, payload []byte) ([]byte, error) {
	return semi{}.AppendFrame(dst, bytes.TrimSpace(payload))
}

func (greedy) Payload(frame []byte) []byte { return frame[:len(frame)-2] }

func (untidy) AppendFrame(dst, payload []byte) ([]byte, error) {
	out, err := semi{}.AppendFrame(dst, payload)
	if err != nil {
		return append(dst, payload...), err
	}
	return out, nil
}

func (changes) AppendFrame(dst, payload []byte) ([]byte, error) {
	out, err := semi{}.AppendFrame(dst, payload)
	clear(payload)
	return out, err
}

func (fresh) AppendFrame(dst, payload []byte) ([]byte, error) {
	return semi{}.AppendFrame(dst[:0], payload)
}

func TestBrokenCodecs(t *testing.T) {
	for name, c := range map[string]framingtest.Codec{
		"lossy": lossy{}, "greedy": greedy{}, "changes": changes{}, "fresh": fresh{},
	} {
		err := framingtest.TestCodec(func() framingtest.Codec { return c }, "a", "b ")
		if err == nil || !strings.Contains(err.Error(), "encode") {
			t.Errorf("%s: %v; want a report on %q", name, err, "encode")
		}
	}
	if err := framingtest.TestCodec(func() framingtest.Codec { return semi{} }, "a;;"); err == nil {
		t.Error("TestCodec took a payload that cannot be encoded")
	}
	for name, tt := range map[string]struct {
		codec   framingtest.Codec
		payload string
	}{"untidy": {untidy{}, "a;;"}, "accepts": {semi{}, "a"}} {
		if err := framingtest.TestRefusal(func() framingtest.Codec { return tt.codec }, tt.payload); err == nil {
			t.Errorf("TestRefusal of %s, %q = nil; want an error", name, tt.payload)
		}
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
