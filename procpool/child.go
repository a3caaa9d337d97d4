//go:build linux

package procpool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"syscall"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
)

// A process is a child that is real.
type process struct {
	*userprocess.Process
}

// Tell sends an order. Who does not read the control channel, or has none, hears
// nothing.
func (p *process) Tell(o order) {
	if pipe := p.Pipe(); pipe != nil {
		_, _ = pipe.TrySend([]byte{byte(o)}) // or it is gone, or will be killed
	}
}

func (p *process) Signal(sig syscall.Signal) error { return p.Process.Signal(sig) }

// starter returns what starts the workers of a slot.
func (p *Pool) starter(s *slot) starter {
	return func(ctx context.Context, next *proc, tell func(notice)) (child, error) {
		command := s.group.Command
		command.Files = maps.Clone(command.Files)
		if command.Files == nil {
			command.Files = make(map[string]syscall.Conn)
		}
		maps.Copy(command.Files, s.files)
		if command.Role != "" {
			command.Pipe = uds.SeqPacket
			p.share(s, command.Files)
			p.shared.reset(s.number, next.bank)
			given, err := p.giveLanes(s, next, command.Files)
			if err != nil {
				return nil, err
			}
			defer given()
		}
		started, err := command.Start(ctx)
		if err != nil {
			return nil, err
		}
		if command.Role != "" {
			if err := p.greet(s, next, started); err != nil {
				_ = started.Kill() // or it has ended
				exit, _ := started.Wait()
				return nil, errors.Join(fmt.Errorf("%w before it was greeted: %v: %w", ErrEnded, exit, err), started.Close())
			}
		}
		go listen(started, tell) // ends with the process
		return &process{started}, nil
	}
}

// greet tells a worker who it is.
func (p *Pool) greet(s *slot, next *proc, worker *userprocess.Process) error {
	h := hello{
		Group: s.group.Name, Slot: s.id, Incarnation: next.incarnation, Bank: next.bank, Groups: p.layout,
		Words: p.options.Words, Message: p.options.Message, Concurrency: s.group.Concurrency, Lanes: s.plans,
	}
	if g := s.group; g.Requests > 0 {
		h.Requests = g.Requests + rand.IntN(g.Jitter+1)
	}
	packet, err := json.Marshal(h)
	if err == nil {
		_, err = worker.Pipe().TrySend(packet)
	}
	return err
}

// listen passes on what a worker says, and in the end that it is gone.
func listen(worker *userprocess.Process, tell func(notice)) {
	if pipe := worker.Pipe(); pipe != nil {
		var packet [1]byte
		for {
			n, err := pipe.Receive(context.Background(), packet[:])
			if err != nil && !errors.As(err, new(*uds.TruncatedError)) {
				break
			}
			if w := word(packet[0]); err == nil && n == 1 && w != wordExited {
				tell(notice{word: w})
			}
		}
	}
	exit, _ := worker.Wait() // Exit says that it is unknown
	_ = worker.Close()       // nobody else has the Pipe
	tell(notice{word: wordExited, exit: exit})
}
