//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// journal sends the messages of a journal, and marks them.
func (r *requeue) journal(ctx context.Context, p *program, path string, to *sysvmsg.Queue) error {
	flags := os.O_RDWR
	if r.dry {
		flags = os.O_RDONLY
	}
	f, err := os.OpenFile(path, flags|unix.O_NONBLOCK, 0) // a pipe does not wait for a writer then
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // every mark has returned its error
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is no regular file: %w", path, fs.ErrInvalid))
	}
	if !r.dry {
		if err := lock(f); err != nil {
			return err
		}
	}
	var damage error
	for rec, err := range envelope.NewJournalReader(bufio.NewReader(f)).All() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		switch {
		case errors.Is(err, envelope.ErrCorrupt):
			damage = fmt.Errorf("%s: %w", path, err)
			p.complain("%v", damage)
			continue
		case err != nil:
			return err
		case rec.Done:
			continue
		case r.n == r.count:
			return damage
		}
		if err := r.record(ctx, p, f, to, rec); err != nil {
			return err
		}
		r.step()
	}
	return damage
}

// lock keeps others from sending the same messages, until f is closed.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("%s is being sent again by another process: %w", f.Name(), err)
	}
	return os.NewSyscallError("flock", err)
}

// record sends one message and marks it, or shows it.
func (r *requeue) record(ctx context.Context, p *program, f *os.File, to *sysvmsg.Queue, rec envelope.Record) error {
	if r.dry {
		return p.print(appendLine(nil, rec.Type, rec.Message))
	}
	if err := r.send(ctx, to, rec.Type, rec.Message); err != nil {
		return fmt.Errorf("record at %d: %w", rec.Offset, err)
	}
	if err := rec.MarkDone(f); err != nil {
		return fmt.Errorf("record at %d was sent, but is not marked: %w", rec.Offset, err)
	}
	return nil
}
