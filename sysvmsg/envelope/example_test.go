//go:build linux

package envelope_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plait-go/plait/sysvmsg"
	"github.com/plait-go/plait/sysvmsg/envelope"
)

// A worker finds what others have left in its queue, and is handed none of it.
func Example() {
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = q.Remove() }() // nobody else knows it

	_ = q.TrySend(1, []byte(`a:1:{s:4:"task";i:7;}`)) // of another program
	p := envelope.NewProducer(q, 2)
	_ = p.TrySend(1, []byte("resize 17.png"))

	c, err := envelope.NewConsumer(q, envelope.Drop{}, &envelope.Options{Schema: 2})
	if err != nil {
		panic(err)
	}
	m, err := c.Receive(context.Background(), sysvmsg.Any())
	fmt.Printf("%s %v\n", m.Payload, err)
	fmt.Println(c.Stats().Foreign, "foreign")
	// Output:
	// resize 17.png <nil>
	// 1 foreign
}

// What a worker cannot use waits in a file until somebody has looked at it.
func ExampleJournal() {
	q, err := sysvmsg.Open(sysvmsg.Private, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = q.Remove() }() // nobody else knows it
	_ = envelope.NewProducer(q, 0).TrySend(4, []byte("resize ../../etc/passwd"))

	dir, _ := os.MkdirTemp("", "example")
	defer func() { _ = os.RemoveAll(dir) }() // it is a temporary one
	path := filepath.Join(dir, "quarantine")
	j, _ := envelope.OpenJournal(path)
	c, _ := envelope.NewConsumer(q, j, nil)
	_, _ = c.TryReceive(sysvmsg.Any())
	fmt.Println(c.Reject(context.Background(), errors.New("no such picture")), j.Close())

	f, _ := os.Open(path)
	for rec, err := range envelope.NewJournalReader(f).All() {
		_, payload, _ := envelope.Parse(rec.Message)
		fmt.Printf("type %d: %s (%s) %v\n", rec.Type, payload, rec.Reason, err)
	}
	fmt.Println(f.Close())
	// Output:
	// <nil> <nil>
	// type 4: resize ../../etc/passwd (rejected message: no such picture) <nil>
	// <nil>
}

// The envelope alone, for any carrier.
func ExampleParse() {
	p, _ := envelope.Append(nil, envelope.Header{Schema: 3}, []byte("hello"))
	h, payload, err := envelope.Parse(p)
	fmt.Printf("schema %d: %s %v\n", h.Schema, payload, err)

	_, _, err = envelope.Parse(p[:len(p)-1])
	fmt.Println(err)
	fmt.Println(errors.Is(err, envelope.ErrCorrupt))
	// Output:
	// schema 3: hello <nil>
	// envelope: payload has 4 bytes, the header says 5: corrupt message
	// true
}
