//go:build linux

package procpool

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/plait-go/plait/userprocess"
	"github.com/plait-go/plait/userprocess/page"
)

// The names of the descriptors that a worker has from its pool.
const pageName = "procpool-page"

// open makes what the processes of the pool share.
func (p *Pool) open() error {
	shared, err := page.New(len(p.slots) * (ownWords + p.options.Words))
	if err != nil {
		return fmt.Errorf("procpool: %w", err)
	}
	p.shared = newSharedPage(shared, p.options.Words)
	return nil
}

// close ends that.
func (p *Pool) close() error { return p.shared.Close() }

// share adds what a worker gets of it to its files.
func (p *Pool) share(_ *slot, files map[string]syscall.Conn) {
	files[pageName] = p.shared
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
