package lengthfield_test

import (
	"fmt"
	"log"

	"github.com/plait-go/plait/lengthfield"
)

func Example() {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	if err != nil {
		log.Fatal(err)
	}
	var stream []byte
	for _, message := range []string{"hello", "", "world"} {
		if stream, err = codec.AppendFrame(stream, []byte(message)); err != nil {
			log.Fatal(err)
		}
	}
	for len(stream) > 0 {
		n, err := codec.Split(stream, 0)
		if err != nil || n == 0 || n > len(stream) {
			log.Fatal("bad or unfinished frame: ", err)
		}
		fmt.Printf("% x  %q\n", stream[:n], codec.Payload(stream[:n]))
		stream = stream[n:]
	}
	// Output:
	// 00 00 00 05 68 65 6c 6c 6f  "hello"
	// 00 00 00 00  ""
	// 00 00 00 05 77 6f 72 6c 64  "world"
}

// An AMQP 0-9-1 frame: the length counts neither the header of seven bytes nor
// the end mark, 0xCE.
func ExampleNew_trailer() {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Offset: 3, Body: 8})
	if err != nil {
		log.Fatal(err)
	}
	stream := []byte("\x03\x00\x01\x00\x00\x00\x05hello\xce\x03\x00")
	n, err := codec.Split(stream, 0)
	fmt.Println(n, err)
	fmt.Printf("%q\n", codec.Payload(stream[:n]))
	// Output:
	// 13 <nil>
	// "hello\xce"
}

// A length that counts itself and the four bytes in front of it, in Netty's
// terms: Body is the end of the field plus lengthAdjustment.
func ExampleNew_netty() {
	const (
		lengthFieldOffset = 4
		lengthFieldLength = 2
		lengthAdjustment  = -6
	)
	codec, err := lengthfield.New(lengthfield.Format{
		Type:   'n',
		Offset: lengthFieldOffset,
		Body:   lengthFieldOffset + lengthFieldLength + lengthAdjustment,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(codec.Split([]byte("ABCD\x00\x0bhello"), 0))
	fmt.Println(codec.Split([]byte("ABCD\x00\x05hello"), 0))
	// Output:
	// 11 <nil>
	// 0 corrupt frame: length 5 makes a frame of 5 bytes, its header has 6
}

// The packets of MQTT: one byte of type, then how many bytes follow.
func ExampleVarint() {
	codec, err := lengthfield.Varint(1, 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(codec.Split([]byte("\x30"), 0))                  // no length yet
	fmt.Println(codec.Split([]byte("\x30\x82"), 0))              // half a length
	fmt.Println(codec.Split([]byte("\x30\x82\x01\x00\x01t"), 0)) // 3 bytes and 130 more
	fmt.Println(codec.Split([]byte("\xc0\x00\xc0\x00"), 0))      // two PINGREQ
	fmt.Println(codec.Split([]byte("\x30\x80\x80\x80\x80"), 0))
	// Output:
	// 0 <nil>
	// 0 <nil>
	// 133 <nil>
	// 2 <nil>
	// 0 corrupt frame: varint runs on after 4 bytes
}

// A header with content, here the type of a PostgreSQL message. The payload can
// be written behind it without a copy.
func ExampleCodec_AppendHeader() {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Offset: 1, Body: 1})
	if err != nil {
		log.Fatal(err)
	}
	query := "SELECT 1\x00"
	header, err := codec.AppendHeader(nil, []byte("Q...."), len(query))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", header)
	fmt.Println(codec.Split(append(header, query...), 0))
	// Output:
	// "Q\x00\x00\x00\r"
	// 14 <nil>
}
