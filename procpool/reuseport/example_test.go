//go:build linux

package reuseport_test

import (
	"context"
	"fmt"

	"github.com/plait-go/plait/procpool/reuseport"
)

func ExampleListen() {
	listeners, err := reuseport.Listen(context.Background(), "tcp", "127.0.0.1:0", 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range listeners {
		fmt.Println(l.Addr().String() == listeners[0].Addr().String(), l.Close())
	}
	// Output:
	// true <nil>
	// true <nil>
	// true <nil>
	// true <nil>
}
