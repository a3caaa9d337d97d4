package framing_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/plait-go/plait/framing"
)

// A Splitter is often one expression: here frames of three bytes.
func Example() {
	triple := framing.SplitterFunc(func(data []byte, seen int) (int, error) { return 3, nil })
	r := framing.NewReader(strings.NewReader("abcdefgh"), triple)
	for frame, err := range r.All() {
		if err != nil {
			fmt.Printf("%v, %q left\n", err, r.Buffered())
			break
		}
		fmt.Printf("%s\n", frame)
	}
	// Output:
	// abc
	// def
	// unexpected EOF, "gh" left
}

// The function that Swoole calls package_length_func: 0 asks for more, a negative
// number refuses the stream, a positive one is the frame's length, header
// included.
func ExampleSplitterFunc() {
	tagged := framing.SplitterFunc(func(data []byte, seen int) (int, error) {
		if data[0] != '#' {
			return -1, nil
		}
		if len(data) < 3 {
			return 0, nil
		}
		return 3 + int(binary.BigEndian.Uint16(data[1:])), nil
	})
	d := framing.NewDecoder(tagged)
	for _, piece := range []string{"#\x00", "\x02hi#\x00\x00", "GET / HTTP/1.1"} {
		for frame, err := range d.Frames([]byte(piece)) {
			fmt.Printf("%q %v\n", frame, err)
		}
	}
	// Output:
	// "#\x00\x02hi" <nil>
	// "#\x00\x00" <nil>
	// "" framing: at byte 8: corrupt frame, begins with "G"
}

// A reactor's callback feeds what it has read. One Decoder serves one
// connection; the Splitter serves them all.
func ExampleDecoder_Frames() {
	d := framing.NewDecoder(bang{})
	onReadable := func(p []byte) error {
		for frame, err := range d.Frames(p) {
			if err != nil {
				return err
			}
			fmt.Printf("%q\n", frame)
		}
		return nil
	}
	for _, p := range []string{"one!tw", "o!three!fo"} {
		if err := onReadable([]byte(p)); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("%v: %q\n", d.Close(), d.Buffered())
	// Output:
	// "one!"
	// "two!"
	// "three!"
	// unexpected EOF: "fo"
}

// Use switches the protocol inside the loop; the bytes behind the frame that
// asked for it are cut by the new one.
func ExampleDecoder_Use() {
	d := framing.NewDecoder(crlf{})
	for frame, err := range d.Frames([]byte("hello\r\nbinary\r\n\x00\x04hi\x00\x03!")) {
		fmt.Printf("%q %v\n", frame, err)
		if string(frame) == "binary\r\n" {
			d.Use(short{})
		}
	}
	// Output:
	// "hello\r\n" <nil>
	// "binary\r\n" <nil>
	// "\x00\x04hi" <nil>
	// "\x00\x03!" <nil>
}

// Discard reports an oversize frame once, skips it, and goes on.
func ExampleReader_discard() {
	r := framing.NewReader(strings.NewReader("short\r\nfar too long a line\r\nnext\r\n"), crlf{})
	r.Max, r.Discard = 8, true
	for frame, err := range r.All() {
		if errors.Is(err, framing.ErrTooLong) {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%q\n", frame)
	}
	// Output:
	// "short\r\n"
	// framing: at byte 7: frame too long, limit 8, begins with "far too "
	// "next\r\n"
}

// Read takes what comes behind a frame as it is, a body for example.
func ExampleReader_Read() {
	r := framing.NewReader(strings.NewReader("size 11\r\nline\r\nbreakquit\r\n"), crlf{})
	head, err := r.Next()
	fmt.Printf("%q %v\n", head, err)
	body, err := io.ReadAll(io.LimitReader(r, 11))
	fmt.Printf("%q %v\n", body, err)
	next, err := r.Next()
	fmt.Printf("%q %v\n", next, err)
	// Output:
	// "size 11\r\n" <nil>
	// "line\r\nbreak" <nil>
	// "quit\r\n" <nil>
}

// Each Write makes one frame; Flush sends all of them with one write.
func ExampleWriter() {
	var conn bytes.Buffer
	w := framing.NewWriter(&conn, short{})
	for _, payload := range []string{"3 items", "done"} {
		if _, err := io.WriteString(w, payload); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("%q, %d bytes are kept\n", conn.String(), w.Buffered())
	err := w.Flush()
	fmt.Printf("%q %v\n", conn.String(), err)
	// Output:
	// "", 15 bytes are kept
	// "\x00\t3 items\x00\x06done" <nil>
}
