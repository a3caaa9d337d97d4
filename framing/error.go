package framing

import (
	"errors"
	"fmt"
	"strings"
)

// DefaultMax is the limit on a frame where Max is 0 or less.
const DefaultMax = 2 << 20 // bytes

// headLen bounds Error.Head.
const headLen = 16 // bytes

var (
	// ErrTooLong says that a frame is longer than Max, or than the format allows.
	ErrTooLong = errors.New("frame too long")
	// ErrCorrupt says that bytes are not a frame. No boundary behind them can be
	// trusted, so it ends the stream.
	ErrCorrupt = errors.New("corrupt frame")
)

// An Error tells which frame broke the framing, and how. It does not depend on
// how the stream was cut.
type Error struct {
	Offset int64  // of the frame's first byte in the stream
	Size   uint64 // bytes that the frame claims to have, saturated; 0 if that is not known
	Max    int    // the limit that was broken, in bytes; 0 if that was the format's, or none
	Head   string // the frame's first bytes, those that decided, 16 at most
	Err    error  // wraps ErrTooLong or ErrCorrupt, or is the Splitter's own
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// Error says where the frame is, what is wrong with it, and what it looks like.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "framing: at byte %d: %v", e.Offset, e.Err)
	if e.Size > 0 {
		fmt.Fprintf(&b, ": %d bytes", e.Size)
	}
	if e.Max > 0 {
		fmt.Fprintf(&b, ", limit %d", e.Max)
	}
	if e.Head != "" {
		fmt.Fprintf(&b, ", begins with %q", e.Head)
	}
	if name := speaks(e.Head); name != "" {
		fmt.Fprintf(&b, " (this looks like %s)", name)
	}
	return b.String()
}

// speaks names the protocol whose first bytes head has, or returns "": the usual
// cause of an absurd length is a client that speaks something else. A head may be
// as short as the length field, so three bytes have to do.
func speaks(head string) string {
	for _, p := range [...]struct{ start, name string }{
		{"GET ", "HTTP"},
		{"PUT ", "HTTP"},
		{"POST", "HTTP"},
		{"HEAD", "HTTP"},
		{"DELE", "HTTP"},
		{"OPTI", "HTTP"},
		{"PATC", "HTTP"},
		{"CONN", "HTTP"},
		{"TRAC", "HTTP"},
		{"HTTP", "HTTP"},
		{"PRI ", "HTTP/2"},
		{"SSH-", "SSH"},
		{"\x16\x03", "TLS"},
	} {
		n := min(len(head), len(p.start))
		if n >= min(3, len(p.start)) && head[:n] == p.start[:n] {
			return p.name
		}
	}
	return ""
}
