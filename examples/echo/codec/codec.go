// Package codec is the three kinds of frames that the example servers speak.
package codec

import (
	"fmt"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// A Codec knows one kind of frame. A frame that it cuts, and the one it makes of
// that frame's payload, are the same bytes.
type Codec interface {
	framing.Splitter
	framing.Appender
	Payload(frame []byte) []byte // aliases frame
}

// New returns the Codec that the flag -frame names.
func New(name string) (Codec, error) {
	switch name {
	case "raw":
		return Raw{}, nil
	case "eof":
		return eof.New("\r\n")
	case "length":
		return lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	}
	return nil, fmt.Errorf("-frame %q is unknown, want raw, eof or length", name)
}

// Raw takes what is in hand for a frame, so it depends on how the stream was cut.
type Raw struct{}

// Split returns all of data.
func (Raw) Split(data []byte, _ int) (int, error) { return len(data), nil }

// Payload returns the frame.
func (Raw) Payload(frame []byte) []byte { return frame }

// AppendFrame appends the payload.
func (Raw) AppendFrame(dst, payload []byte) ([]byte, error) { return append(dst, payload...), nil }
