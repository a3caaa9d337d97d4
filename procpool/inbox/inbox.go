//go:build linux

package inbox

import (
	"errors"
	"fmt"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/chunk"
)

// DefaultMax is the length of the longest message where nothing else is said, in
// bytes.
const DefaultMax = 16 << 20

// sendBuffer is asked for, in bytes; the kernel may grant less.
const sendBuffer = 1 << 20

// packet is the size of the largest packet, in bytes, with all headers.
const packet = 256 << 10

// An Addr names an inbox, and who reads it.
type Addr struct {
	Slot        uint32 // the number of the inbox among the Sender's
	Incarnation uint32 // of the process that is to read it, or 0: whoever does
}

// String returns "3.2" for incarnation 2 of slot 3, and "3" for any of them.
func (a Addr) String() string {
	if a.Incarnation == 0 {
		return fmt.Sprint(a.Slot)
	}
	return fmt.Sprintf("%d.%d", a.Slot, a.Incarnation)
}

// Pair returns the ends of an inbox, which are the caller's.
func Pair() (read, write *uds.Conn, err error) {
	read, write, err = uds.Pair(uds.SeqPacket)
	if err != nil {
		return nil, nil, fmt.Errorf("inbox: %w", err)
	}
	if _, err := write.SetBuffers(sendBuffer, 0); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("inbox: %w", err), read.Close(), write.Close())
	}
	return read, write, nil
}

// options are how messages become packets.
func options(limit int) *chunk.Options {
	return &chunk.Options{Single: packet - chunk.HeaderSize, Message: limit + headerSize}
}

// maxOf returns the limit that limit stands for.
func maxOf(limit int) int {
	if limit <= 0 {
		return DefaultMax
	}
	return limit
}
