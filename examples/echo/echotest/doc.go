// Package echotest is for tests of the example servers: it runs one as a process of
// its own, and talks to it. What goes wrong fails the test, after Patience at the
// latest.
package echotest
