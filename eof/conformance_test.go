package eof_test

import (
	"testing"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/framing/framingtest"
)

func TestConformance(t *testing.T) {
	must := func(c *eof.Codec, err error) *eof.Codec {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, tt := range map[string]struct {
		codec    *eof.Codec
		payloads []string
	}{
		"LF":       {must(eof.New("\n")), []string{"", "a", "bc\r", "a longer line"}},
		"CRLF":     {must(eof.New("\r\n")), []string{"", "a", "b\r", "c\nd", "a longer line"}},
		"overlap":  {must(eof.New("aab")), []string{"", "b", "a", "ababab", "bbbbbbbbb"}},
		"periodic": {must(eof.New("abab")), []string{"", "b", "aba", "bbaa", "bbbbbbbbb"}},
		"eight":    {must(eof.New("=limit=\n")), []string{"", "=", "=limit", "\n=limit=", "a longer line"}},
		"several":  {must(eof.New("\r\n", "\n", "--")), []string{"", "a-", "\r", "a longer line"}},
		"absent":   {must(eof.New("\n", "never seen")), []string{"", "never", "a longer line"}},
		"any":      {must(eof.Any(";\n\x00")), []string{"", "a", "a longer line"}},
		"lines":    {eof.Lines(), []string{"", "a", "b\rc", "a longer line"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := framingtest.TestCodec(func() framingtest.Codec { return tt.codec }, tt.payloads...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBatchConformance(t *testing.T) {
	for delim, frames := range map[string][]string{
		"\n":   {"\n", "a\n", "a longer line\n"},
		"\r\n": {"\r\n", "a\r\n", "\r\r\n", "a longer line\r\n"},
		"aa":   {"aa", "baa", "bbbbbbbbabaa"},
	} {
		s, err := eof.Batch(delim)
		if err != nil {
			t.Fatal(err)
		}
		if err := framingtest.TestBatcher(func() framing.Splitter { return s }, frames...); err != nil {
			t.Errorf("Batch(%q): %v", delim, err)
		}
	}
}
