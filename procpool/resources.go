//go:build linux

package procpool

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/plait-go/plait/procpool/inbox"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/userprocess"
	"github.com/plait-go/plait/userprocess/page"
)

// The names of the descriptors that a worker has from its pool.
const (
	pageName       = "procpool-page"
	readName       = "procpool-inbox"
	asideReadName  = "procpool-aside"
	asideWriteName = "procpool-aside-out"
	writeName      = "procpool-inbox-%d" // of all inboxes, by number
)

// A box is an inbox, and the second one of its slot. The manager keeps it open.
type box struct {
	read, write           *uds.Conn
	asideRead, asideWrite *uds.Conn
}

// Resources are what a manager has open while it runs.
type resources struct {
	page  *page.Page
	boxes []box // the manager's own first
	post  post
	users sync.WaitGroup // of post
}

// open makes what the processes of the pool share.
func (p *Pool) open() (err error) {
	r := new(resources)
	if r.page, err = page.New(len(p.slots) * (ownWords + p.options.Words)); err != nil {
		return fmt.Errorf("procpool: %w", err)
	}
	r.boxes = make([]box, len(p.slots)+1)
	for i := range r.boxes {
		if err := r.boxes[i].open(); err != nil {
			return errors.Join(fmt.Errorf("procpool: %w", err), r.close())
		}
	}
	ends := make([]*uds.Conn, len(r.boxes))
	for i := range ends {
		ends[i] = r.boxes[i].write
	}
	r.post = post{
		layout: p.layout, out: inbox.NewSender(inbox.Addr{}, ends, p.options.Message),
		in: inbox.NewReceiver(inbox.Addr{}, inbox.Ends{Main: r.boxes[0].read}, p.options.Message),
	}
	p.shared = newSharedPage(r.page, p.options.Words)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resources = r
	return nil
}

func (b *box) open() (err error) {
	if b.read, b.write, err = inbox.Pair(); err != nil {
		return err
	}
	b.asideRead, b.asideWrite, err = inbox.Pair()
	return err
}

// close ends what open has begun. Who sends or receives is sent away first.
func (r *resources) close() error {
	var errs []error
	for _, b := range r.boxes {
		for _, c := range []*uds.Conn{b.read, b.write, b.asideRead, b.asideWrite} {
			if c != nil {
				errs = append(errs, c.Close())
			}
		}
	}
	r.users.Wait()
	return errors.Join(append(errs, r.page.Close())...)
}

// usePost returns what sends and receives for the manager, until leave is called.
func (p *Pool) usePost() (m *post, leave func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || p.resources == nil {
		return nil, nil, ErrNotRunning
	}
	p.resources.users.Add(1)
	return &p.resources.post, p.resources.users.Done, nil
}

// isRunning reports whether Run runs.
func (p *Pool) isRunning() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running
}

// share adds what a worker of a slot gets to its files.
func (p *Pool) share(s *slot, files map[string]syscall.Conn) {
	r := p.resources
	own := r.boxes[s.number+1]
	files[pageName] = r.page
	files[readName], files[asideReadName], files[asideWriteName] = own.read, own.asideRead, own.asideWrite
	for i, b := range r.boxes {
		files[fmt.Sprintf(writeName, i)] = b.write
	}
}

// inheritPage returns the page that a worker has from its manager.
func inheritPage(c *userprocess.Child, words int) (*sharedPage, error) {
	f, err := c.File(pageName)
	if err != nil {
		return nil, err
	}
	shared, err := page.FromFile(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("procpool: %w", err)
	}
	return newSharedPage(shared, words), nil
}

// inheritPost returns what a worker sends and receives with. Number is its slot's.
func inheritPost(c *userprocess.Child, h *hello, number int) (*post, error) {
	var err error
	conn := func(name string) *uds.Conn {
		end, connErr := c.Conn(name)
		err = errors.Join(err, connErr)
		return end
	}
	p := &post{layout: h.Groups}
	ends := make([]*uds.Conn, p.layout.total()+1)
	for i := range ends {
		ends[i] = conn(fmt.Sprintf(writeName, i))
	}
	in := inbox.Ends{Main: conn(readName), MainWrite: ends[number+1], AsideRead: conn(asideReadName), AsideWrite: conn(asideWriteName)}
	if err != nil {
		return nil, err
	}
	self := inbox.Addr{Slot: uint32(number) + 1, Incarnation: uint32(h.Incarnation)}
	p.out, p.in = inbox.NewSender(self, ends, h.Message), inbox.NewReceiver(self, in, h.Message)
	return p, nil
}
