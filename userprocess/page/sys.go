//go:build linux

package page

import (
	"sync/atomic"
	"unsafe"
)

// wordsOf returns memory, which is aligned as pages are and a whole number of words,
// as words.
func wordsOf(memory []byte) []atomic.Int64 {
	return unsafe.Slice((*atomic.Int64)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/wordSize)
}
