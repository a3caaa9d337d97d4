//go:build linux

package ipc

import (
	"context"
	"os"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/batch"
)

// packs are the ways in which many messages share a system call.
func packs() map[string]opener {
	return map[string]opener{
		"framed": openFramed,
		"packed": openPacked,
	}
}

// framed has frames on a stream.
type framed struct {
	w *framing.Writer
	r *framing.Reader
	c *lengthfield.Codec
}

func openFramed(_ context.Context, _ Task, f *os.File) (end, error) {
	c, err := uds.FromFile(f)
	if err != nil {
		return nil, err
	}
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	if err != nil {
		return nil, err
	}
	return framed{framing.NewWriter(c, codec), framing.NewReader(c, codec), codec}, nil
}

func (f framed) room(size int) []byte { return make([]byte, size) }

func (f framed) send(p []byte) error {
	_, err := f.w.Write(p)
	return err
}

func (f framed) flush() error { return f.w.Flush() }

func (f framed) receive() ([]byte, error) {
	frame, err := f.r.Next()
	if err != nil {
		return nil, err
	}
	return f.c.Payload(frame), nil
}

// packed has package batch on a socket of any kind.
type packed struct {
	ctx context.Context
	w   *batch.Writer
	r   *batch.Reader
}

func openPacked(ctx context.Context, t Task, f *os.File) (end, error) {
	c, err := uds.FromFile(f)
	if err != nil {
		return nil, err
	}
	kind := batch.Packets
	if t.Kind == "stream" {
		kind = batch.Stream
	}
	return packed{ctx, batch.NewWriter(c, kind, nil), batch.NewReader(c, kind, nil)}, nil
}

func (e packed) room(size int) []byte { return make([]byte, size) }

func (e packed) send(p []byte) error { return e.w.Add(e.ctx, p) }

func (e packed) flush() error { return e.w.Flush(e.ctx) }

func (e packed) receive() ([]byte, error) { return e.r.Next(e.ctx) }
