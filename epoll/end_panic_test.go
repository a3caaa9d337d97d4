//go:build linux

package epoll

import (
	"errors"
	"testing"
)

// A wreck is a Loop with something of every kind, whose Run is to end in a panic.
type wreck struct {
	*fakeKernel
	loop   *Loop
	files  []*fakeFile // what it owns
	closed int         // calls of Closed
	sender *Listener   // elsewhere, that has handed a connection over
	panics int         // calls of Closed that are to panic
}

func newWreck(t *testing.T) *wreck {
	t.Helper()
	l, k := newFakeLoop(t, nil)
	w := &wreck{fakeKernel: k, loop: l}
	h := &Handler{Closed: func(_ *Conn, reason error) {
		if w.closed++; !errors.Is(reason, ErrStopped) {
			t.Errorf("Closed with %v, want %v", reason, ErrStopped)
		}
		if w.panics--; w.panics >= 0 {
			panic("Closed")
		}
	}}
	for range 3 {
		_, f := k.attach(l, h)
		w.files = append(w.files, f)
	}
	_, f := k.listen(l, h, nil)
	w.files = append(w.files, f)
	other, elsewhere := newFakeLoop(t, nil)
	w.sender, _ = elsewhere.listen(other, new(Handler), &ListenOptions{Loop: func() *Loop { return l }})
	f = newFakeFile()
	w.sender.welcome(k.open(f))
	w.files = append(w.files, f)
	return w
}

// try calls what ends a Loop, and returns what it panicked with.
func (w *wreck) try(fn func() error) (value any, err error) {
	defer func() { value = recover() }()
	return nil, fn()
}

// want checks that everything has been released, and Closed called once for each
// Conn: not for the connection that was on its way.
func (w *wreck) want(t *testing.T) {
	t.Helper()
	const closed = 3
	for i, f := range w.files {
		if !f.closed {
			t.Errorf("descriptor %d of %d is open", i, len(w.files))
		}
	}
	if w.closed != closed || !w.fakeKernel.closed {
		t.Errorf("Closed was called %d times, the epoll instance is closed: %v; want %d, true", w.closed, w.fakeKernel.closed, closed)
	}
	if n, counted := w.loop.Len(), w.sender.open.Load(); n != 0 || counted != 0 {
		t.Errorf("Len() = %d, and the Listener elsewhere counts %d; want 0, 0", n, counted)
	}
	if err := w.loop.Close(); !errors.Is(err, ErrStopped) {
		t.Errorf("Close = %v, want %v", err, ErrStopped)
	}
}

// A panic in what Run calls on its way to the end leaves the rest to Close, what was
// handed over included.
func TestPanicAtTheEndLeavesTheRestToClose(t *testing.T) {
	for name, set := range map[string]func(w *wreck) error{
		"Closed": func(w *wreck) error { w.panics = 1; return nil },
		"post":   func(w *wreck) error { return w.loop.Post(func() { panic("post") }) },
		"defer":  func(w *wreck) error { w.loop.Defer(func() { panic("defer") }); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWreck(t)
			if err := set(w); err != nil {
				t.Fatal(err)
			}
			w.loop.Stop()
			if got, err := w.try(func() error { return w.loop.Run(t.Context()) }); got != name {
				t.Fatalf("Run = %v, and panicked with %v; want %q", err, got, name)
			}
			if got, err := w.try(w.loop.Close); got != nil || err != nil {
				t.Errorf("Close = %v, and panicked with %v; want nil, no panic", err, got)
			}
			w.want(t)
		})
	}
}

// Close itself can be called again after a panic, until nothing is left.
func TestPanicInCloseLeavesTheRestToTheNext(t *testing.T) {
	w := newWreck(t)
	w.panics = 3
	for range 3 {
		if got, err := w.try(w.loop.Close); got != "Closed" {
			t.Fatalf("Close = %v, and panicked with %v; want %q", err, got, "Closed")
		}
	}
	if got, err := w.try(w.loop.Close); got != nil || err != nil {
		t.Errorf("Close = %v, and panicked with %v; want nil, no panic", err, got)
	}
	w.want(t)
}
