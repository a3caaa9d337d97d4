//go:build linux

package sysvmsg_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
)

func TestOpen(t *testing.T) {
	checkLeaks(t)
	key := freshKey(t)
	open := func(c sysvmsg.Create) (*sysvmsg.Queue, error) {
		return sysvmsg.Open(key, &sysvmsg.Options{Create: c})
	}
	_, err := open(sysvmsg.Existing)
	wantError(t, "Open of none, Existing", err, fs.ErrNotExist, unix.ENOENT)

	q, err := sysvmsg.Open(key, nil)
	must(t, err)
	removeAtEnd(t, q)
	if !q.Created() || q.Key() != key {
		t.Errorf("the first Open: created %v, key %v; want true, %v", q.Created(), q.Key(), key)
	}
	if want := fmt.Sprintf("queue %d (key %s)", q.ID(), key); q.String() != want {
		t.Errorf("String() = %q; want %q", q, want)
	}
	for _, c := range []sysvmsg.Create{sysvmsg.CreateIfMissing, sysvmsg.Existing} {
		again, err := open(c)
		if err != nil || again.ID() != q.ID() || again.Created() {
			t.Errorf("Open again, Create %d = %v, %v; want %v that was there", c, again, err, q)
		}
	}
	_, err = open(sysvmsg.CreateExclusive)
	wantError(t, "Open again, CreateExclusive", err, fs.ErrExist, unix.EEXIST)
	if !strings.Contains(err.Error(), key.String()) {
		t.Errorf("the error is %q; want it to name key %v", err, key)
	}

	must(t, q.Remove())
	next, err := open(sysvmsg.CreateExclusive)
	must(t, err)
	removeAtEnd(t, next)
	if !next.Created() || next.ID() == q.ID() {
		t.Errorf("Open after Remove: %v, created %v; want a new one, true", next, next.Created())
	}
}

func TestOpenPrivate(t *testing.T) {
	checkLeaks(t)
	a, b := private(t, 0), private(t, 0)
	if a.ID() == b.ID() || !a.Created() || a.Key() != sysvmsg.Private {
		t.Errorf("two private queues: %v, %v; want different ones", a, b)
	}
	if want := fmt.Sprintf("queue %d (private)", a.ID()); a.String() != want {
		t.Errorf("String() = %q; want %q", a, want)
	}
}

func TestOpenID(t *testing.T) {
	checkLeaks(t)
	key := freshKey(t)
	q, err := sysvmsg.Open(key, nil)
	must(t, err)
	removeAtEnd(t, q)
	same, err := sysvmsg.OpenID(q.ID())
	must(t, err)
	if same.Key() != key || same.Created() {
		t.Errorf("OpenID(%d): key %v, created %v; want %v, false", q.ID(), same.Key(), same.Created(), key)
	}
	send(t, q, 1, "hello")
	wantMessage(t, same, sysvmsg.Any(), 1, "hello")
	must(t, same.Remove())
	_, err = sysvmsg.OpenID(q.ID())
	wantError(t, "OpenID of one removed", err, sysvmsg.ErrRemoved)
	_, err = sysvmsg.OpenID(-1)
	wantError(t, "OpenID(-1)", err, sysvmsg.ErrRemoved)
}

func TestOpenOptions(t *testing.T) {
	checkLeaks(t)
	q, err := sysvmsg.Open(sysvmsg.Private, &sysvmsg.Options{Mode: 0o666, Capacity: 1000})
	must(t, err)
	removeAtEnd(t, q)
	s, err := q.Stat()
	if err != nil || s.Mode != 0o666 || s.Capacity != 1000 { // whatever the umask
		t.Errorf("Stat() = mode %v, capacity %d, %v; want %v, 1000, <nil>", s.Mode, s.Capacity, err, fs.FileMode(0o666))
	}
	limits, err := sysvmsg.ReadLimits()
	must(t, err)
	s, err = private(t, 0).Stat()
	if err != nil || s.Mode != 0o600 || s.Capacity != limits.Capacity {
		t.Errorf("Stat() by default = mode %v, capacity %d, %v; want %v, %d, <nil>",
			s.Mode, s.Capacity, err, fs.FileMode(0o600), limits.Capacity)
	}

	key := freshKey(t)
	for _, c := range []struct {
		key sysvmsg.Key
		o   sysvmsg.Options
	}{
		{key, sysvmsg.Options{Create: 3}},
		{key, sysvmsg.Options{Create: -1}},
		{key, sysvmsg.Options{Capacity: -1}},
		{key, sysvmsg.Options{Mode: fs.ModeSticky | 0o600}},
		{sysvmsg.Private, sysvmsg.Options{Create: sysvmsg.Existing}},
	} {
		q, err := sysvmsg.Open(c.key, &c.o)
		if !errors.Is(err, unix.EINVAL) {
			t.Errorf("Open(%v, %+v) = %v, %v; want %v", c.key, c.o, q, err, unix.EINVAL)
		}
	}
}

// Of many who open a key at once, one has created the queue, and all have the same.
func TestOpenAtOnce(t *testing.T) {
	checkLeaks(t)
	const goroutines = 20
	for range 20 {
		key := freshKey(t)
		var wg sync.WaitGroup
		var created atomic.Int32
		queues := make([]*sysvmsg.Queue, goroutines)
		for i := range queues {
			wg.Go(func() {
				q, err := sysvmsg.Open(key, nil)
				if err != nil {
					t.Error(err)
					return
				}
				queues[i] = q
				if q.Created() {
					created.Add(1)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		for _, q := range queues {
			if q.ID() != queues[0].ID() {
				t.Errorf("Open = %v; want %v", q, queues[0])
			}
		}
		if n := created.Load(); n != 1 {
			t.Errorf("%d have created it; want 1", n)
		}
		must(t, queues[0].Remove())
	}
}

// Open copes with queues that come and go between its looks.
func TestOpenWhileOthersRemove(t *testing.T) {
	checkLeaks(t)
	key := freshKey(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				q, err := sysvmsg.Open(key, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if !q.Created() {
					continue
				}
				if err := q.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
