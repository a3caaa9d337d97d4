//go:build linux

package uds

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A Kind is the type of a socket. The zero Kind is none.
type Kind int

// The kinds.
const (
	Stream    Kind = unix.SOCK_STREAM    // bytes, in order
	Datagram  Kind = unix.SOCK_DGRAM     // messages, without a connection
	SeqPacket Kind = unix.SOCK_SEQPACKET // messages, on a connection
)

// String returns "stream", "datagram" or "seqpacket".
func (k Kind) String() string {
	switch k {
	case Stream:
		return "stream"
	case Datagram:
		return "datagram"
	case SeqPacket:
		return "seqpacket"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// network returns package net's word for the kind.
func (k Kind) network() string {
	switch k {
	case Stream:
		return "unix"
	case Datagram:
		return "unixgram"
	}
	return "unixpacket"
}

// check returns an error if k is none of the three kinds.
func (k Kind) check() error {
	switch k {
	case Stream, Datagram, SeqPacket:
		return nil
	}
	return fmt.Errorf("%w: no such kind: %d", unix.EPROTOTYPE, int(k))
}
