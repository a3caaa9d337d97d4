//go:build linux

package userprocess

import (
	"encoding/json"
	"fmt"
	"strings"
)

// named returns what fdNames says of a descriptor.
func named(name string, fd int) string { return fmt.Sprintf("%s=%d", name, fd) }

// numbered returns what fdNames says of descriptors with such names, from firstFD on.
func numbered(names []string) []string {
	fds := make([]string, len(names))
	for i, name := range names {
		fds[i] = named(name, firstFD+i)
	}
	return fds
}

// The variables of the environment that tell a child what it is.
const (
	marker  = "PLAIT_CHILD" // of this program: a manifest
	fdNames = "PLAIT_FDS"   // of another program: its descriptors, "name=3:other=4"
)

// firstFD is the number of the first descriptor that has a name.
const firstFD = 3

// A manifest tells a process that was started from this program what to do. It is
// read by the program that wrote it, and has no version.
type manifest struct {
	Role   string   `json:"role,omitempty"`
	Args   []string `json:"args,omitempty"`
	FDs    []string `json:"fds"` // their names, from firstFD on
	Launch *launch  `json:"launch,omitempty"`
}

// encode returns the variable for the environment.
func (m *manifest) encode() (string, error) {
	text, err := json.Marshal(m)
	return marker + "=" + string(text), err
}

// decode returns the manifest in the value of the variable.
func decode(text string) (*manifest, error) {
	m := new(manifest)
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("$%s is not from this program: %w", marker, err)
	}
	if m.Launch != nil && len(m.FDs) == 0 {
		return nil, fmt.Errorf("$%s has a launch, and no descriptor for its report", marker)
	}
	return m, nil
}
