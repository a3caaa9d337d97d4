package eof_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/plait-go/plait/eof"
)

// A loop over Split is all that it takes when the bytes are in hand.
func Example() {
	codec, err := eof.New("\r\n")
	if err != nil {
		log.Fatal(err)
	}
	data := []byte("PING\r\nGET key\r\n\r\nQUI")
	for len(data) > 0 {
		n, _ := codec.Split(data, 0) // its error is always nil
		if n == 0 {
			break
		}
		fmt.Printf("%q\n", codec.Payload(data[:n]))
		data = data[n:]
	}
	fmt.Printf("unfinished: %q\n", data)
	// Output:
	// "PING"
	// "GET key"
	// ""
	// unfinished: "QUI"
}

// What was seen in vain need not be searched again.
func ExampleCodec_Split() {
	codec, err := eof.New("\r\n")
	if err != nil {
		log.Fatal(err)
	}
	data := []byte("PING\r")
	n, _ := codec.Split(data, 0)
	fmt.Println(n)

	seen := len(data)
	data = append(data, "\nGET key\r\n"...)
	n, _ = codec.Split(data, seen)
	fmt.Println(n)
	// Output:
	// 0
	// 6
}

// Lines drops a CR before the LF, and only there.
func ExampleLines() {
	lines := eof.Lines()
	for _, line := range []string{"unix\n", "dos\r\n", "\rodd\r\r\n"} {
		fmt.Printf("%q\n", lines.Payload([]byte(line)))
	}
	// Output:
	// "unix"
	// "dos"
	// "\rodd\r"
}

// Fields of a record end with a comma, the record with a semicolon.
func ExampleAny() {
	fields, err := eof.Any(",;")
	if err != nil {
		log.Fatal(err)
	}
	data := []byte("7,red;8,blue;")
	for len(data) > 0 {
		n, _ := fields.Split(data, 0)
		fmt.Printf("%s ends with %q\n", fields.Payload(data[:n]), data[n-1:n])
		data = data[n:]
	}
	// Output:
	// 7 ends with ","
	// red ends with ";"
	// 8 ends with ","
	// blue ends with ";"
}

// A batch is all that is whole so far.
func ExampleBatch() {
	batches, err := eof.Batch("\r\n")
	if err != nil {
		log.Fatal(err)
	}
	data := []byte("one\r\ntwo\r\nthr")
	n, _ := batches.Split(data, 0)
	fmt.Printf("%q, then %q\n", data[:n], data[n:])
	// Output:
	// "one\r\ntwo\r\n", then "thr"
}

// AppendFrame refuses what the other side would split elsewhere.
func ExampleCodec_AppendFrame() {
	codec, err := eof.New("\r\n")
	if err != nil {
		log.Fatal(err)
	}
	var buf []byte
	for _, payload := range []string{"SET name gopher", "DEL a\r\nFLUSHALL"} {
		buf, err = codec.AppendFrame(buf, []byte(payload))
		if errors.Is(err, eof.ErrDelimiter) {
			fmt.Println(err)
		}
	}
	fmt.Printf("%q\n", buf)
	// Output:
	// eof: delimiter in payload: "\r\n" at byte 5
	// "SET name gopher\r\n"
}
