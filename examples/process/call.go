//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/plait-go/plait/procpool/dispatch"
)

// appendCall returns what is sent with callSend and callClose.
func appendCall(number uint64, text []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, number), text...)
}

// parseCall returns what was sent with a call.
func parseCall(c *dispatch.Call) (number uint64, text []byte, err error) {
	switch c.Tag {
	case callStats:
		return 0, nil, nil
	case callSend, callClose:
		if len(c.Payload) >= 8 {
			return binary.LittleEndian.Uint64(c.Payload), bytes.Clone(c.Payload[8:]), nil
		}
	}
	return 0, nil, fmt.Errorf("call %d of %d bytes is none", c.Tag, len(c.Payload))
}

// finish answers a call without a result.
func finish(c *dispatch.Call, err error) {
	if err != nil {
		c.Refuse(err)
		return
	}
	c.Return(nil)
}
