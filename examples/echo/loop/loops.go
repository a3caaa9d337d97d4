//go:build linux

package loop

import (
	"context"
	"log/slog"
	"sync"

	"github.com/plait-go/plait/epoll"
)

// Loops are those of a server: some that have the connections, and one that accepts
// for them. A single one accepts by itself.
type Loops struct {
	*epoll.Group
	acceptor *epoll.Loop
	listener *epoll.Listener
}

// NewLoops returns n loops, made with options, and the one that accepts if n is not 1.
func NewLoops(n int, options *epoll.Options) (*Loops, error) {
	group, err := epoll.NewGroup(n, options)
	if err != nil {
		return nil, err
	}
	l := &Loops{Group: group, acceptor: group.Loops()[0]}
	if n > 1 {
		l.acceptor, err = epoll.New(nil)
	}
	return l, err
}

// Listen has the loops accept from fd, which they own. A connection goes to the one
// that has the fewest.
func (l *Loops) Listen(fd int, h *epoll.Handler, log *slog.Logger) (err error) {
	l.listener, err = l.acceptor.Listen(fd, h, &epoll.ListenOptions{
		Loop:   l.Least,
		Paused: func(err error) { log.Error("cannot accept, will go on trying", "err", err) },
	})
	return err
}

// Run runs the loops until they have ended. One that fails ends the others.
func (l *Loops) Run() error {
	ctx, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	var accepting sync.WaitGroup
	if l.acceptor != l.Loops()[0] {
		accepting.Go(func() { // ends when Close has drained it, or with ctx
			if err := l.acceptor.Run(ctx); err != nil {
				fail(err)
			}
		})
	}
	if err := l.Group.Run(ctx); err != nil {
		fail(err)
	}
	accepting.Wait()
	return context.Cause(ctx)
}

// Shut accepts nobody any more, and calls each in the loops that have the connections,
// behind those that come last.
func (l *Loops) Shut(each func(*epoll.Loop)) {
	_ = l.acceptor.Post(func() { // or it has failed, and they all end
		_ = l.listener.Close() // it is open
		for _, one := range l.Loops() {
			_ = one.Post(func() { each(one) }) // as above
		}
		if l.acceptor != l.Loops()[0] {
			l.acceptor.Drain(nil)
		}
	})
}

// Len returns the number of connections, those included that their loop does not know
// of yet.
func (l *Loops) Len() (n int) {
	for _, one := range l.Loops() {
		n += one.Len()
	}
	return n
}
