//go:build linux

package epoll

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// fakeWorld returns a world on a fakeKernel, whose moods come from seed.
func fakeWorld(tb testing.TB, seed uint64) world {
	tb.Helper()
	trial := &trialTB{TB: tb}
	k := newFakeKernel(trial)
	k.polling = true
	moods := rand.New(rand.NewPCG(seed, 1))
	return world{
		kernel: k.kernel(),
		conn: func() (int, peer) {
			f := newFakeFile()
			f.space = 4 << 10
			return k.open(f), fakePeer{f}
		},
		pipe: func() pipe {
			f := &fakeFile{foreign: true}
			return f.pipe(k.open(f))
		},
		replace: func(fd int) pipe {
			k.closeForeign(fd)
			f := &fakeFile{foreign: true}
			k.openAs(fd, f)
			return f.pipe(fd)
		},
		release:  func(fd int) { k.files[fd].closed = true; k.closeForeign(fd) },
		hold:     func(fd int) { k.files[fd].refs++ },
		detached: func(fd int) { k.files[fd].foreign = true },
		state:    func(fd int) Events { return k.files[fd].state() },
		interests: func() []Event {
			var events []Event
			for _, in := range k.set {
				e := Event{FD: in.fd, Gen: in.gen, Events: in.events}
				if in.spent {
					e.Events = OneShot
				}
				events = append(events, e)
			}
			return events
		},
		setClock: k.setClock,
		calm: func(exact bool) {
			if k.chaos = moods; exact {
				k.chaos = nil
			}
		},
		end: trial.end,
	}
}

// pipe returns f as something that a Source can watch.
func (f *fakeFile) pipe(fd int) pipe {
	return pipe{
		fd:   fd,
		poke: func() { f.send([]byte("x")) },
		drain: func() int {
			n := len(f.in)
			f.in = nil
			return n
		},
		hang: func() { f.hangUp(0) },
	}
}

// A fakePeer is the other end of a fakeFile.
type fakePeer struct{ f *fakeFile }

func (p fakePeer) write(b []byte) int {
	if p.f.closed || len(p.f.in) > 16<<10 {
		return 0
	}
	p.f.send(b)
	return len(b)
}

func (p fakePeer) read(most int) ([]byte, bool) {
	b := p.f.receive(most)
	return b, len(p.f.out) == 0 && (p.f.shut || p.f.closed)
}

func (p fakePeer) shutdown() { p.f.sendEOF() }
func (p fakePeer) reset()    { p.f.hangUp(unix.ECONNRESET) }
func (p fakePeer) close()    { p.f.hangUp(0) }
