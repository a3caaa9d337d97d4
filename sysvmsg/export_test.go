//go:build linux

package sysvmsg

// What tests look at that is no part of the API.

// FileKeyOf is the formula of FileKey.
func FileKeyOf(device, inode uint64, project byte) Key { return fileKey(device, inode, project) }

// ParseTable is List of another text.
func ParseTable(text string) ([]Stat, error) { return parseTable(text) }

// Blocked returns how many calls wait in the kernel, or are about to.
func Blocked() int { return len(places) }

// ForgetBeds lets the next calls that wait do so in beds of their own.
func ForgetBeds() {
	beds.Lock()
	defer beds.Unlock()
	beds.free = nil
}
