package framing

import "io"

// Read reads what comes behind the last frame, unframed: a body, or another
// protocol. It returns bytes in hand before it reads more, and blocks only for
// the first. A frame that is being skipped is passed over first. Errors are as
// from Next, but where bytes of an unfinished frame were read the end of the
// stream is [io.EOF].
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.pass(limitOf(r.Max)); err != nil {
		return 0, err
	}
	r.seen, r.need = 0, 0
	r.settle()
	if n := copy(p, r.bytes()); n > 0 {
		r.left -= n
		return n, nil
	}
	if err := r.pending; err != nil {
		r.pending = nil
		return 0, err
	}
	n, err := r.rd.Read(p)
	if n < 0 || n > len(p) {
		return 0, errReadCount
	}
	r.total += int64(n)
	return n, err
}

// WriteTo writes what comes behind the last frame to w, unframed, and blocks until
// the stream ends. It implements [io.WriterTo], so that [io.Copy] needs no buffer
// of its own. What w did not take when it failed is in hand still, and comes
// next.
func (r *Reader) WriteTo(w io.Writer) (total int64, err error) {
	limit := limitOf(r.Max)
	if err := r.pass(limit); err != nil {
		return 0, err
	}
	r.seen, r.need = 0, 0
	r.settle()
	for {
		if data := r.bytes(); len(data) > 0 {
			n, err := w.Write(data)
			n = min(max(n, 0), len(data))
			r.left -= n
			total += int64(n)
			if err == nil && n < len(data) {
				err = io.ErrShortWrite
			}
			if err != nil {
				return total, err
			}
		}
		if err := r.fill(0, limit); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
	}
}
