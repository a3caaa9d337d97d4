//go:build linux

package page_test

import (
	"fmt"

	"github.com/plait-go/plait/userprocess/page"
)

// What one process counts, all others see. Here the second one is this one, too: a
// child gets p in its Command.Files, and its end from Child.File.
func Example() {
	p, err := page.New(8)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = p.Close() }()
	again, err := page.FromFile(p)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = again.Close() }()
	p.Words()[3].Add(2)
	again.Words()[3].Add(3)
	fmt.Println(p.Words()[3].Load(), len(again.Words()))
	// Output: 5 8
}
