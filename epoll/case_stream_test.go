//go:build linux

package epoll_test

import (
	"io"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
)

// A client that is done sending and begins to read when nothing moves any more
// still gets everything. Reactors lose the tail where the end of input closes the
// connection before its output is sent.
func TestEchoToOneWhoReadsLate(t *testing.T) {
	const size = 32 << 20
	closeWrite := func(c *epoll.Conn) error { return c.CloseWrite() }
	for name, h := range map[string]epoll.Handler{
		"end while reading is paused": {Limits: &epoll.Limits{Close: time.Minute}},
		"end while all is unsent":     {Limits: &epoll.Limits{HighWater: 2 * size, Close: time.Minute}},
		"EOF handled":                 {Limits: &epoll.Limits{HighWater: 2 * size}, EOF: closeWrite},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w epoll.Waiting) {
				l, h := newLoop(t, w), h
				h.Data = echo
				closed := reasons(&h)
				fd, peer := tcpPair(t)
				patient(t, peer)
				c, err := l.Attach(fd, &h)
				must(t, err)
				stop := run(t, l)
				p, sent := newTape(), make(chan error, 1)
				go func() {
					err := p.send(peer, size)
					if err == nil {
						err = peer.CloseWrite()
					}
					sent <- err
				}()
				if h.Limits.HighWater > 0 { // the whole of it is taken
					must(t, next(t, sent))
					sent <- nil
				}
				t.Logf("%d bytes unsent when the client begins to read", stalled(t, c, 0))
				p.want(t, peer, size, 64<<10)
				must(t, next(t, sent))
				wantClosed(t, closed, io.EOF)
				stop()
			})
		})
	}
}

// What a peer sends before it closes is there to be read, however late. Reactors
// lose it where a hangup closes the connection before it is read.
func TestDataOfOneWhoHasClosed(t *testing.T) {
	const size = 2 << 20
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := tcpPair(t)
		called, release := make(chan struct{}), make(chan struct{})
		k := &checker{tape: newTape()}
		first := true
		h := &epoll.Handler{Data: func(_ *epoll.Conn, p []byte) error {
			if first {
				first = false
				close(called)
				<-release
			}
			_, err := k.Write(p)
			return err
		}}
		closed := reasons(h)
		_, err := l.Attach(fd, h)
		must(t, err)
		stop := run(t, l)
		err = k.tape.send(peer, 1)
		<-called
		// The kernel takes that much of one connection; if it does not, all that
		// it has taken has to arrive.
		must(t, peer.SetWriteDeadline(time.Now().Add(time.Second)))
		n := 1
		for n < size && err == nil {
			var k0 int
			k0, err = peer.Write(k.tape.at(n, size-n))
			n += k0
		}
		must(t, peer.Close())
		close(release)
		wantClosed(t, closed, io.EOF)
		stop()
		if k.place != n {
			t.Errorf("Data got %d bytes, want %d", k.place, n)
		}
		t.Logf("the client had sent %d bytes when it closed, %v", n, err)
	})
}

// A client that sends and does not read stops being read, and costs no more than
// its limits. Reactors collect its output until memory is full.
func TestEchoToOneWhoDoesNotRead(t *testing.T) {
	const size = 128 << 20
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := tcpPair(t)
		patient(t, peer)
		received, most := 0, 0
		h := &epoll.Handler{Data: func(c *epoll.Conn, p []byte) error {
			received += len(p)
			err := echo(c, p)
			most = max(most, c.Unsent())
			return err
		}}
		closed := reasons(h)
		c, err := l.Attach(fd, h)
		must(t, err)
		p, sent := newTape(), make(chan error, 1)
		before := heapInUse()
		stop := run(t, l)
		go func() {
			err := p.send(peer, size)
			_ = peer.CloseWrite() // what is missing is noticed below
			sent <- err
		}()
		unsent := stalled(t, c, epoll.DefaultHighWater)
		taken := 0
		on(t, l, func() { taken = received })
		// The sum of HighWater, Turn and Frame, and a chunk that is partly used.
		const bound = epoll.DefaultHighWater + epoll.DefaultTurn + epoll.DefaultFrame + 64<<10
		grown := heapInUse() - before
		t.Logf("reading stopped at %d bytes, %d of them unsent; the heap has grown by %d", taken, unsent, grown)
		if taken >= size || grown > bound {
			t.Errorf("%d bytes were read, and the heap has grown by %d; want less than %d, at most %d", taken, grown, size, bound)
		}
		p.want(t, peer, size, 64<<10)
		must(t, next(t, sent))
		wantClosed(t, closed, io.EOF)
		stop()
		if most > epoll.DefaultHighWater+epoll.DefaultTurn || received != size {
			t.Errorf("%d bytes were unsent at a time, %d received; want at most %d, and %d", most, received, epoll.DefaultHighWater+epoll.DefaultTurn, size)
		}
	})
}

// heapInUse returns how many bytes of heap are in use.
func heapInUse() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what sync.Pools keep goes the second time
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A reply that is much longer than the socket's buffer arrives at a peer that
// takes it in small pieces. UNIX sockets tell that there is room at every read;
// a reactor that writes once and forgets the rest loses it.
func TestReplyToASlowReader(t *testing.T) {
	const size = 4 << 20
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		patient(t, peer)
		p := newTape()
		reply := make([]byte, 0, size)
		for len(reply) < size {
			reply = append(reply, p.at(len(reply), size-len(reply))...)
		}
		h := &epoll.Handler{
			Limits: &epoll.Limits{Cap: 2 * size, Close: time.Minute},
			Data: func(c *epoll.Conn, _ []byte) error {
				if n, err := c.Write(reply); n != size || err != nil {
					t.Errorf("Write(%d bytes) = %d, %v; want %d, nil", size, n, err, size)
				}
				return c.Close(io.EOF)
			},
		}
		closed := reasons(h)
		c, err := l.Attach(fd, h)
		must(t, err)
		stop := run(t, l)
		_, err = peer.Write([]byte("?"))
		must(t, err)
		stalled(t, c, size/2)
		p.want(t, peer, size, 1009)
		must(t, peer.Close())
		wantClosed(t, closed, io.EOF)
		stop()
	})
}
