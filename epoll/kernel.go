//go:build linux

package epoll

import (
	"sync"
	"time"
)

// A kernel is what a Loop asks of the system. Tests have one of their own.
type kernel struct {
	add, modify func(fd int, gen uint32, events Events) error
	remove      func(fd int) error
	wait        func(events []Event, deadline time.Time) (int, error)
	wake        func() error // from any goroutine
	renew       func() error // begin anew with nothing watched
	close       func() error
	now         func() time.Time
	stream
}

// newKernel returns the one that is there.
func newKernel(w Waiting) (kernel, error) {
	p, err := NewPoller(w)
	if err != nil {
		return kernel{}, err
	}
	v := &vessel{poller: p, waiting: w}
	return kernel{
		add:    func(fd int, gen uint32, events Events) error { return v.poller.Add(fd, gen, events) },
		modify: func(fd int, gen uint32, events Events) error { return v.poller.Modify(fd, gen, events) },
		remove: func(fd int) error { return v.poller.Remove(fd) },
		wait:   func(events []Event, deadline time.Time) (int, error) { return v.poller.Wait(events, deadline) },
		wake:   v.wake,
		renew:  v.renew,
		close:  func() error { return v.poller.Close() },
		now:    time.Now,
		stream: system(),
	}, nil
}

// A vessel holds a Poller that can be exchanged under those who wake it.
type vessel struct {
	mu      sync.RWMutex // held by wake and renew
	poller  *Poller
	waiting Waiting
}

func (v *vessel) wake() error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.poller.Wake()
}

// renew exchanges the Poller. Whoever woke the old one meant to be heard.
func (v *vessel) renew() error {
	p, err := NewPoller(v.waiting)
	if err != nil {
		return err
	}
	v.mu.Lock()
	old := v.poller
	v.poller = p
	v.mu.Unlock()
	_ = old.Close() // it has nothing that could be lost
	_ = p.Wake()    // it is open; an eventfd that cannot be written to has been
	return nil
}
