//go:build linux

package sysvmsg

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A Type is the type of a message, from 1 to the largest int; a C long, mtype. A
// process of 32 bits sees the low 32 bits of the type that one of 64 bits sent.
type Type int

// check returns an error unless t may be sent or selected.
func (t Type) check() error {
	if t < 1 {
		return fmt.Errorf("type %d is below 1: %w", int(t), unix.EINVAL)
	}
	return nil
}

// A Selector says which messages to receive. The zero value is [Any]. One made of a
// type below 1 makes the call that uses it fail with EINVAL. See msgrcv(2).
type Selector struct {
	rule rule
	t    Type
}

// A rule is how a Selector uses its type.
type rule uint8

const (
	any_ rule = iota
	exact
	lowest
	except
)

// Any selects the oldest message.
func Any() Selector { return Selector{} }

// Exact selects the oldest message of type t.
func Exact(t Type) Selector { return Selector{exact, t} }

// Lowest selects the oldest message of the lowest type that is there, if that is
// not above t. So types are priorities, 1 being the most urgent.
func Lowest(t Type) Selector { return Selector{lowest, t} }

// Except selects the oldest message that is not of type t.
func Except(t Type) Selector { return Selector{except, t} }

// String says what s selects.
func (s Selector) String() string {
	switch s.rule {
	case exact:
		return fmt.Sprintf("type %d", int(s.t))
	case lowest:
		return fmt.Sprintf("lowest type up to %d", int(s.t))
	case except:
		return fmt.Sprintf("any type but %d", int(s.t))
	}
	return "any type"
}

// check returns an error if s is of no use.
func (s Selector) check() error {
	if s.rule == any_ {
		return nil
	}
	return s.t.check()
}

// raw returns msgtyp and msgflg of msgrcv(2).
func (s Selector) raw() (t, flags int) {
	switch s.rule {
	case lowest:
		return -int(s.t), 0
	case except:
		return int(s.t), msgExcept
	}
	return int(s.t), 0
}
