// Package manage is what the example servers share that have worker processes: the
// flags for those, the groups that they are in, what is said of them, and what signals
// ask for.
package manage
