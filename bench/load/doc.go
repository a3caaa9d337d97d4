// Package load measures servers that send back what they get. It starts one in a
// process of its own, sends it requests, verifies every byte of the answers, and
// tells what processor time that took of the server.
//
//	 processor 0                 loopback                   processor 1
//	┌────────────┐   request, request, request, ...   ┌────────────────────┐
//	│ Process:   │ <───────────────────────────────── │ Client: one thread │
//	│ one server │ ─────────────────────────────────> │ and one Poller     │
//	└────────────┘   the same bytes, in order         └────────────────────┘
//
// A [Client] is a closed loop: each of its connections has as many requests
// unanswered as [Load] says, and sends the next one when an answer is complete.
// [Echo] is a benchmark of one server and one load, [Ratios] one of several
// servers in turn, of which the smallest time of each is compared. [Churner]
// connects and closes.
//
// The server is the test binary itself: a TestMain calls [Child] first, which is
// that process's whole run if it was started as a server. [Servers] are those of
// package epoll, and a bare loop without features as the floor.
//
// # What is counted
//
// Processor time is that of all threads of the server, those that have ended
// too, in user and system mode, by the process's clock: see
// clock_getcpuclockid(3). That has the resolution of the kernel's ticks while a
// thread runs, so it is read when the server rests, before the first request and
// behind the last answer. System calls are counted by strace(1), where that is
// installed: syscr and syscw of proc_pid_io(5) leave out those of sockets.
//
// Where there are two processors, server and client have one each; the server's
// runtime sees one, and GOMAXPROCS is 1. TCP connections use Reno, for congestion
// controls that pace what they send have loopback wait for timers.
//
// # When not to use it
//
// It knows one machine and one request size at a time, and a closed loop hides
// what a stalled server does to clients that do not wait for it.
package load
