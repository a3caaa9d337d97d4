package lengthfield_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// One codec value serves both ends of a connection. The client's deadline
// expires inside a frame; what had come is not lost, and the next call returns
// the whole frame.
func Example_bothEnds() {
	codec, err := lengthfield.New(lengthfield.Format{Type: 'N', Body: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, server := net.Pipe()
	expired := make(chan bool)
	go shout(server, codec, expired) // ends when the client hangs up

	w := framing.NewWriter(client, codec)
	fmt.Fprint(w, "hello, world") //nolint:errcheck // Flush tells
	fmt.Println("sent:", w.Flush())

	r := framing.NewReader(client, codec)
	_ = client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err = r.Next()
	fmt.Printf("in time: %v, %d bytes so far\n", errors.Is(err, os.ErrDeadlineExceeded), len(r.Buffered()))
	close(expired)

	_ = client.SetReadDeadline(time.Time{})
	frame, err := r.Next()
	fmt.Printf("later: %q %v\n", codec.Payload(frame), err)
	fmt.Println("hung up:", client.Close())
	// Output:
	// sent: <nil>
	// in time: true, 6 bytes so far
	// later: "HELLO, WORLD" <nil>
	// hung up: <nil>
}

// shout answers each frame in capitals: six bytes at once, and the rest when the
// client has lost patience.
func shout(conn net.Conn, codec *lengthfield.Codec, expired <-chan bool) {
	for frame, err := range framing.NewReader(conn, codec).All() {
		if err != nil {
			return
		}
		reply, err := codec.AppendFrame(nil, []byte(strings.ToUpper(string(codec.Payload(frame)))))
		if err != nil {
			return
		}
		_, _ = conn.Write(reply[:6])
		<-expired
		_, _ = conn.Write(reply[6:])
	}
}
