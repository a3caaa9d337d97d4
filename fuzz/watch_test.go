package fuzz_test

import (
	"fmt"

	"github.com/plait-go/plait/framing"
)

// A watch is a Splitter that looks over the shoulder of whoever calls it.
type watch struct {
	framing.Splitter
	limit int
	last  int // length of the data that was too short in the last call
	work  int // bytes that Split had to look at
	fault string
}

// Split checks what Splitter promises of its arguments.
func (w *watch) Split(data []byte, seen int) (int, error) {
	switch {
	case len(data) == 0:
		w.complain("Split(%q, %d) of nothing", data, seen)
	case len(data) > w.limit:
		w.complain("Split of %d bytes; Max is %d", len(data), w.limit)
	case seen != 0 && seen != w.last, seen >= len(data):
		w.complain("Split of %d bytes with seen %d; want less, and 0 or %d", len(data), seen, w.last)
	}
	n, err := w.Splitter.Split(data, seen)
	w.last = 0
	switch {
	case err != nil:
	case n == 0:
		w.last = len(data)
		w.work += len(data) - seen
	case n > 0:
		w.work += max(0, min(n, len(data))-seen)
	}
	return n, err
}

func (w *watch) complain(format string, args ...any) {
	if w.fault == "" {
		w.fault = fmt.Sprintf(format, args...)
	}
}

// A resyncWatch is a watch of a Resyncer.
type resyncWatch struct {
	*watch
	framing.Resyncer
}

// watched returns a Splitter for one stream, and its watch.
func (s setup) watched() (framing.Splitter, *watch) {
	c := s.make()
	w := &watch{Splitter: c, limit: s.limit()}
	if r, ok := c.(framing.Resyncer); ok && !s.is(hides) {
		return resyncWatch{w, r}, w
	}
	return w, w
}
