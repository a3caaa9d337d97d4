package framing

import "io"

// batchSize is what a Writer gathers before it writes unasked.
const batchSize = 64 << 10 // bytes

// A Writer encodes: each Write makes one frame of its argument, so that
// fmt.Fprintf(w, …) and json.NewEncoder(w) make frames. Frames are gathered and
// written together, by Flush or when 64 KiB have come together: one system call
// for many frames.
//
// A Writer is used by one goroutine at a time. The zero value is not usable; call
// NewWriter.
type Writer struct {
	wr  io.Writer
	app Appender
	buf []byte // frames not yet written; the first may be in part
}

// NewWriter returns a Writer that writes frames made by a to wr.
func NewWriter(wr io.Writer, a Appender) *Writer { return &Writer{wr: wr, app: a} }

// Write makes payload a frame and keeps it until Flush. Frames that make 64 KiB
// together are written at once: those kept before, if payload brings them there,
// and this one too if it does and payload is not empty. Write does not retain
// payload.
//
// When it returns 0 and an error, payload was not taken: it cannot be encoded, or
// earlier frames could not be written and Write may be repeated. When it returns
// len(payload) and an error, the frame was taken, and Flush resumes writing it.
func (w *Writer) Write(payload []byte) (int, error) {
	if len(w.buf) > 0 && len(w.buf)+len(payload) >= batchSize {
		if err := w.Flush(); err != nil {
			return 0, err
		}
	}
	buf, err := w.app.AppendFrame(w.buf, payload)
	if err != nil {
		return 0, err
	}
	w.buf = buf
	if len(w.buf) >= batchSize && len(payload) > 0 { // 0 has to mean: not taken
		return len(payload), w.Flush()
	}
	return len(payload), nil
}

// Flush writes the frames that are kept, as one Write of the underlying writer
// if that takes them all, and blocks as long as that does. What it could not
// write stays, and the next call resumes behind the last byte written, so no byte
// is written twice: after an expired deadline Flush can be repeated. A Writer
// that is flushed keeps a buffer of 128 KiB at most.
func (w *Writer) Flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	n, err := w.wr.Write(w.buf)
	n = min(max(n, 0), len(w.buf))
	if n < len(w.buf) {
		if err == nil {
			err = io.ErrShortWrite
		}
		w.buf = w.buf[:copy(w.buf, w.buf[n:])]
		return err
	}
	w.buf = emptied(w.buf)
	return err
}

// emptied returns buf for the next frames, or nothing if it is too large to keep.
func emptied(buf []byte) []byte {
	if cap(buf) > 2*batchSize {
		return nil
	}
	return buf[:0]
}

// Buffered returns how many bytes of frames are kept.
func (w *Writer) Buffered() int { return len(w.buf) }

// Reset drops what is kept and makes w write to wr, with the same Appender.
func (w *Writer) Reset(wr io.Writer) {
	*w = Writer{wr: wr, app: w.app, buf: emptied(w.buf)}
}
