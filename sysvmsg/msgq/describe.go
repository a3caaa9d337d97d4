//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// newHeader is that of a message that is sent now.
func newHeader(schema uint16, self envelope.Identity) envelope.Header {
	return envelope.Header{Schema: schema, Time: time.Now(), Producer: self}
}

// describe says what a message is, and returns the part of it that is of interest:
// the payload, or all bytes if there is no envelope that is whole.
func describe(message []byte) (state string, payload []byte) {
	h, payload, err := envelope.Parse(message)
	if err != nil {
		return strings.TrimPrefix(err.Error(), "envelope: "), message
	}
	return fmt.Sprintf("schema %d, sent %s by %v", h.Schema, timeText(h.Time, time.RFC3339Nano), h.Producer), payload
}

// appendLine appends a line about a message that a terminal can show, whatever the
// message is.
func appendLine(dst []byte, t sysvmsg.Type, message []byte) []byte {
	state, payload := describe(message)
	return fmt.Appendf(dst, "%d %q %s\n", t, payload, state)
}

// timeText formats a time that may be unknown.
func timeText(t time.Time, layout string) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(layout)
}
