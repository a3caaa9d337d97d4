package eof_test

import (
	"fmt"
	"strings"

	"github.com/plait-go/plait/eof"
	"github.com/plait-go/plait/framing"
)

// A Reader over a connection yields whole lines, however they arrive.
func ExampleNew_reader() {
	lines, err := eof.New("\r\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	conn := strings.NewReader("HELO relay\r\nMAIL FROM:<ann@example.org>\r\nQUI")
	r := framing.NewReader(conn, lines)
	r.Max = 512
	for frame, err := range r.All() {
		if err != nil {
			fmt.Printf("%v, %q left\n", err, r.Buffered())
			break
		}
		fmt.Printf("%q\n", lines.Payload(frame))
	}
	// Output:
	// "HELO relay"
	// "MAIL FROM:<ann@example.org>"
	// unexpected EOF, "QUI" left
}

// A Decoder in a reactor's callback, with a batch of whole lines a turn: what
// Swoole calls open_eof_check.
func ExampleBatch_decoder() {
	batch, err := eof.Batch("\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	d := framing.NewDecoder(batch)
	for _, read := range []string{"a\nb\nc\nd", "", "\ne\n"} {
		for lines, err := range d.Frames([]byte(read)) {
			fmt.Printf("%q %v\n", lines, err)
		}
	}
	// Output:
	// "a\nb\nc\n" <nil>
	// "d\ne\n" <nil>
}
