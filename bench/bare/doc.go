// Bare is the shape of a PROCESS server without its features: what examples/process
// is measured against.
//
//	go run ./bench/bare -addr 127.0.0.1:9501 -workers 2
//
// A master has one loop with all connections. It cuts frames with a length of four
// bytes, big-endian, as long as they fit its buffer, and sends each to the worker of
// its connection: all of a round in one write, over a pair of stream sockets, with
// eight bytes in front that tell the connection and the length. A worker copies
// what it reads to its answers. Nothing is checked, bounded, kept for a worker that dies, or
// replaced: a worker that ends takes the server with it.
package main
