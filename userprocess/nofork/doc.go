// Package nofork puts this process where it cannot start another one, for tests of
// what happens then.
//
//	end, err := nofork.Begin()
//	… // fork(2) fails with EAGAIN
//	err = end()
//
// It lowers RLIMIT_NPROC, see setrlimit(2), which does not bind root: a test that is
// root starts a child that is not. New threads fail, too, and the Go runtime ends a
// process that wants one and cannot have it. So some are started before, which the
// runtime keeps.
//
// When not to use it: outside of tests.
package nofork
