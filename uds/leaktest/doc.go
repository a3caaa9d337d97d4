// Package leaktest fails tests that leave descriptors or goroutines behind. It is for
// tests of packages that own either, and is told nothing about them: it looks at
// /proc/self/fd, and at what the runtime counts.
//
//	func TestConn(t *testing.T) {
//		leaktest.Check(t)
//		…
//	}
//
// Tests that run in parallel with others cannot use it, for what is open belongs to
// the process.
package leaktest
