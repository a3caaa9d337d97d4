//go:build linux

package epoll_test

import (
	"io"
	"reflect"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/epoll"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/uds/leaktest"
)

func TestConnIsSmall(t *testing.T) {
	if n := reflect.TypeFor[epoll.Conn]().Size(); n > 192 {
		t.Errorf("a Conn has %d bytes, want 192 at most", n)
	}
}

// heap returns how many objects there are, and their bytes.
func heap() (objects, bytes uint64) {
	runtime.GC()
	runtime.GC() // for what a finalizer or a pool still held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapObjects, m.HeapAlloc
}

// A connection that has nothing to do is its Conn and its decoder: what it needed
// to read, to cut and to write is gone.
func TestMemoryOfAnIdleConn(t *testing.T) {
	leaktest.Check(t)
	const conns = 1000
	l := newLoop(t, epoll.Park)
	codec := header(t)
	request := frame(t, codec, []byte("hello"))
	h := framedEcho(codec)
	var fds, peers [conns]int
	for i := range fds {
		fds[i], peers[i] = unixPair(t, unix.SOCK_STREAM)
		must(t, unix.SetNonblock(peers[i], false))
	}
	defer func() {
		for _, fd := range peers {
			_ = unix.Close(fd)
		}
	}()
	stop := run(t, l)
	ask := func(fd int, part []byte, want int) {
		_, err := unix.Write(fd, part)
		must(t, err)
		if want == 0 {
			return
		}
		if n, err := unix.Read(fd, make([]byte, 100)); n != want || err != nil {
			t.Errorf("read = %d, %v; want %d, <nil>", n, err, want)
		}
	}
	objects, bytes := heap()
	on(t, l, func() {
		for _, fd := range fds {
			_, err := l.Attach(fd, h)
			must(t, err)
		}
	})
	for _, fd := range peers {
		ask(fd, request[:3], 0)
		ask(fd, request[3:], len(request))
		ask(fd, request, len(request)) // after which a decoder lets go of what it had
	}
	on(t, l, func() {})
	objectsNow, bytesNow := heap()
	// A tenth is for the Loop's own tables, which grow with the number of its Conns,
	// and for what the runtime does meanwhile.
	if n := float64(int64(objectsNow)-int64(objects)) / conns; n > 2.1 {
		t.Errorf("%.2f objects for each idle connection, want 2", n)
	}
	// A Conn, a Decoder, and four pointers and two slots in tables.
	decoder := reflect.TypeFor[framing.Decoder]().Size()
	if n, most := float64(int64(bytesNow)-int64(bytes))/conns, float64(192+decoder+4*8+4*24); n > most {
		t.Errorf("%.0f bytes for each idle connection, want %.0f at most", n, most)
	}
	stop()
}

// In the long run requests cost no memory, from a read to a wake-up of a Loop that
// is parked in between.
func TestRequestsInTheLongRunDoNotAllocate(t *testing.T) {
	bothWays(t, func(t *testing.T, w epoll.Waiting) {
		l := newLoop(t, w)
		fd, peer := unixPeer(t, unix.SOCK_STREAM)
		_, err := l.Attach(fd, &epoll.Handler{Data: echo})
		must(t, err)
		run(t, l)
		const requests = 3000
		request, reply := make([]byte, 64), make([]byte, 64)
		var before, after runtime.MemStats
		for i := range requests + 100 {
			if i == 100 { // everything that is kept has been made
				runtime.ReadMemStats(&before)
			}
			if _, err := peer.Write(request); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(peer, reply); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > requests/20 {
			t.Errorf("%d allocations in %d requests, want next to none", n, requests)
		}
	})
}
