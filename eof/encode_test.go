package eof_test

import (
	"errors"
	"testing"

	"github.com/plait-go/plait/eof"
)

func TestAppendFrameRefuses(t *testing.T) {
	for _, tt := range []struct {
		delims        []string
		payload, want string
	}{
		{[]string{"\r\n"}, "ab\r\nc", `eof: delimiter in payload: "\r\n" at byte 2`},
		{[]string{"\r\n"}, "\r\n", `eof: delimiter in payload: "\r\n" at byte 0`},
		{[]string{"aa"}, "a", `eof: delimiter in payload: "aa" at byte 0`},
		{[]string{"aa"}, "ba", `eof: delimiter in payload: "aa" at byte 1`},
		{[]string{"\r\n\r\n"}, "ab\r\n", `eof: delimiter in payload: "\r\n\r\n" at byte 2`},
		{[]string{"\n", "\r\n"}, "ab\r", `eof: delimiter in payload: "\r\n" at byte 2`},
		{[]string{"\n", ";"}, "a;b", `eof: delimiter in payload: ";" at byte 1`},
		{[]string{"bcd", "c"}, "a", `eof: delimiter in payload: "c" at byte 2`},
	} {
		dst := append(make([]byte, 0, 64), "kept"...)
		got, err := newCodec(t, tt.delims...).AppendFrame(dst, []byte(tt.payload))
		if !errors.Is(err, eof.ErrDelimiter) || err.Error() != tt.want {
			t.Errorf("New(%q): AppendFrame(%q, %q) = %v; want %s", tt.delims, dst, tt.payload, err, tt.want)
		}
		if string(got) != "kept" || &got[0] != &dst[0] || cap(got) != cap(dst) {
			t.Errorf("New(%q): AppendFrame(%q, %q) returned %q; want its argument", tt.delims, dst, tt.payload, got)
		}
	}
	if _, err := eof.Lines().AppendFrame(nil, []byte("a\r")); !errors.Is(err, eof.ErrDelimiter) {
		t.Errorf("Lines: AppendFrame(nil, %q) = %v; want %v", "a\r", err, eof.ErrDelimiter)
	}
}

// What AppendFrame makes comes back, and it refuses nothing that would.
func TestAppendFrameAll(t *testing.T) {
	for d := range words("ab", 1, 3) {
		for e := range words("ab", 1, 3) {
			c := newCodec(t, d, e)
			for payload := range words("ab", 0, 5) {
				checkAppend(t, c, payload, d, e)
			}
		}
	}
	for payload := range words("a\r\n", 0, 5) {
		checkAppend(t, eof.Lines(), payload, "\n", "\r\n")
		checkAppend(t, newCodec(t, "\r\n", "\n"), payload, "\r\n", "\n")
	}
}

func checkAppend(t *testing.T, c *eof.Codec, payload string, delims ...string) {
	t.Helper()
	want := payload + delims[0]
	n, tail := naiveEnd(want, delims...)
	fits := n == len(want) && tail == len(delims[0])
	dst := []byte("dst")
	got, err := c.AppendFrame(dst, []byte(payload))
	if fits != (err == nil) {
		t.Fatalf("delimiters %q: AppendFrame(%q, %q) = %q, %v; fits: %v", delims, dst, payload, got, err, fits)
	}
	if err != nil {
		return
	}
	frame := got[len(dst):]
	if string(got) != "dst"+want || string(c.Payload(frame)) != payload {
		t.Fatalf("delimiters %q: AppendFrame(%q, %q) = %q; want %q", delims, dst, payload, got, "dst"+want)
	}
	if n, err := c.Split(frame, 0); n != len(frame) || err != nil {
		t.Fatalf("delimiters %q: Split(%q, 0) = %d, %v; want %d, nil", delims, frame, n, err, len(frame))
	}
}
