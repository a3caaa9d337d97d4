//go:build linux

package uds

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// MaxName is the length of the longest path of a socket, in bytes. An abstract name
// has one byte less after its "@".
const MaxName = len(unix.RawSockaddrUnix{}.Path)

// address is a name as the kernel has it:
//
//	struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; };
//
// A path ends with a NUL if there is room for one. An abstract name starts with a
// NUL and ends with the address; it may have NULs within.
type address struct {
	raw  unix.RawSockaddrUnix
	size uint32 // bytes of raw that count
}

const family = 2 // bytes before the name

// parse makes an address of name.
func parse(name string) (*address, error) {
	switch {
	case name == "":
		return nil, errors.New("the name is empty")
	case name == "@":
		return nil, errors.New("the abstract name is empty")
	case len(name) > MaxName:
		return nil, fmt.Errorf("the name has %d bytes, a socket's may have %d: %w", len(name), MaxName, unix.ENAMETOOLONG)
	case name[0] != '@' && strings.IndexByte(name, 0) >= 0:
		return nil, fmt.Errorf("the path has a NUL at byte %d: %w", strings.IndexByte(name, 0), unix.EINVAL)
	}
	a := &address{size: uint32(family + len(name))}
	a.raw.Family = unix.AF_UNIX
	for i := range len(name) {
		a.raw.Path[i] = int8(name[i])
	}
	if name[0] == '@' {
		a.raw.Path[0] = 0
	} else if len(name) < MaxName {
		a.size++
	}
	return a, nil
}

// name returns the name in a, or "" for a socket that has none.
func (a *address) name() string {
	if a.size <= family {
		return ""
	}
	b := make([]byte, min(int(a.size)-family, MaxName))
	for i := range b {
		b[i] = byte(a.raw.Path[i])
	}
	if b[0] == 0 {
		b[0] = '@'
		return string(b)
	}
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return string(b)
}

// isPath reports whether name is a file's, and not abstract.
func isPath(name string) bool { return name != "" && name[0] != '@' }

// addr returns name as package net shows it.
func addr(kind Kind, name string) net.Addr {
	return &net.UnixAddr{Name: name, Net: kind.network()}
}
