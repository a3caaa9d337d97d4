package framing

// A Splitter tells how long the first frame of data is: its whole extent on
// the wire, header and terminator included.
//
//	n == 0   data is too short to tell
//	n > 0    the frame is n bytes long; n may exceed len(data)
//	n < 0    data does not begin a frame: the same as an error that is ErrCorrupt
//
// Data begins at the frame's first byte, is never empty, and may reach beyond
// the frame; Split neither changes nor retains it. Seen is the length of data
// in the previous call for the same frame, which returned 0, and 0 in the first
// call for a frame: a search can start at seen, less what may straddle it.
//
// The answer depends only on the bytes of the frame itself, so it is the same
// however the stream was cut: once Split answers for some bytes, it gives the
// same answer when more bytes follow them.
//
// An error is final for the stream. It should wrap [ErrCorrupt]. A Splitter
// that reads a length which an int cannot hold returns an [*Error] that
// has Size and wraps [ErrTooLong]. The limit on frames is not its concern:
// [Decoder] and [Reader] enforce it, and show Split at most Max bytes.
//
// A Splitter without state serves any number of streams at once. One with state
// (nested or context-bound protocols) belongs to one stream and restarts
// whenever seen is 0. For a frame that is refused, by the Splitter or as too long,
// Split is called again with its first 1, 2, … 15 bytes and seen 0, to find out
// how few of them decide.
type Splitter interface {
	Split(data []byte, seen int) (n int, err error)
}

// SplitterFunc makes a [Splitter] of a function. It is what Swoole names
// package_length_func, and answers alike: 0 asks for more bytes, a negative
// number refuses the stream.
type SplitterFunc func(data []byte, seen int) (n int, err error)

// Split calls f.
func (f SplitterFunc) Split(data []byte, seen int) (n int, err error) { return f(data, seen) }

// A Resyncer is a [Splitter] that finds the end of a frame whose start was
// thrown away, as delimiters can: it is what lets Discard skip an oversize frame
// of unknown length.
//
// In the first call for a frame data begins with its first byte, in further ones
// somewhere inside it. Resync returns how many bytes of data to throw away, and
// whether the next frame begins right behind them; something of the frame has to
// go before that is so. When done is false, skip leaves what may be the beginning
// of a delimiter, and these bytes stand at the front of the next call's data. To
// leave more than Max bytes, or 4096 where Max is smaller, ends the stream.
type Resyncer interface {
	Resync(data []byte) (skip int, done bool)
}

// An Appender encodes: AppendFrame appends the one frame that carries payload
// to dst and returns the extended slice, as append does. On error it returns dst,
// of which no byte has changed. It retains neither slice; they must not overlap.
type Appender interface {
	AppendFrame(dst, payload []byte) ([]byte, error)
}
