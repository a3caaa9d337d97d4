//go:build linux

package epoll

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Events is a set of conditions of a descriptor, to ask for or to be told of.
// See epoll_ctl(2).
type Events uint32

// Conditions, and modifiers of how they are told.
const (
	Readable   Events = unix.EPOLLIN    // a read will not block: bytes, a connection, or the end
	Writable   Events = unix.EPOLLOUT   // a write will not block
	Urgent     Events = unix.EPOLLPRI   // out-of-band data, or an exceptional condition
	ReadHangup Events = unix.EPOLLRDHUP // the peer of a stream will send no more
	Hangup     Events = unix.EPOLLHUP   // both directions are over; told unasked
	Failed     Events = unix.EPOLLERR   // an error is pending; told unasked

	EdgeTriggered Events = unix.EPOLLET        // told once a change; a modifier to ask with
	OneShot       Events = unix.EPOLLONESHOT   // told once, then silent until Modify or Set; a modifier
	Exclusive     Events = unix.EPOLLEXCLUSIVE // wakes one of those that wait with Block; a modifier for Add, Linux ≥ 4.5
)

// modifiers are no conditions.
const modifiers = EdgeTriggered | OneShot | Exclusive

// String returns the names of the conditions, joined by "|".
func (e Events) String() string {
	var names []string
	for _, n := range [...]struct {
		bit  Events
		name string
	}{
		{Readable, "Readable"},
		{Writable, "Writable"},
		{Urgent, "Urgent"},
		{ReadHangup, "ReadHangup"},
		{Hangup, "Hangup"},
		{Failed, "Failed"},
		{EdgeTriggered, "EdgeTriggered"},
		{OneShot, "OneShot"},
		{Exclusive, "Exclusive"},
	} {
		if e&n.bit != 0 {
			names = append(names, n.name)
			e &^= n.bit
		}
	}
	if e != 0 || len(names) == 0 {
		names = append(names, "0x"+strconv.FormatUint(uint64(e), 16))
	}
	return strings.Join(names, "|")
}
