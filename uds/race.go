//go:build linux && race

package uds

import "sync/atomic"

// The race detector does not see that a message orders what its sender did before
// what its receiver does afterwards: raw system calls tell it nothing. These do.

var order atomic.Int64 //nolint:gochecknoglobals // one for the process, as the kernel is

func release() { order.Add(1) }

func acquire() { order.Load() }
