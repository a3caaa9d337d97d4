// Package peers measures other ways to serve connections in Go against those of
// this repository: goroutines and package net, netpoll, gnet, and nbio. It is a
// module of its own, so that nothing else depends on these.
//
//	go test -run '^$' -bench Peers .
//
// Each server has one loop, if it has loops at all, and answers with what it gets,
// in the way that its documentation shows.
package peers
