// Package ipc measures ways for two processes to talk: those of packages uds,
// sysvmsg and procpool/inbox, of package net, and bare system calls as the floor.
//
//	┌───────────┐   1, 2, 3, …, each in a message of its own   ┌────────────┐
//	│ a child:  │ ───────────────────────────────────────────> │ a child:   │
//	│ Sender    │ <─────────────── PingPong only ───────────── │ Receiver   │
//	└───────────┘                                              └────────────┘
//	   the first send         one clock of the host           the last receive
//
// A [Task] says what two processes do, and [Compare] has two Tasks done in turn,
// each by two new processes, round by round. Of a Task's rounds the least time
// counts, for what disturbs it only adds to it. Both ends do the same work in every
// way: the sender writes the message's number into each of its pages and into its
// last bytes, and the receiver verifies these and the size. A message that is lost,
// doubled, cut or in another's place is an error.
//
// The processes are the test binary itself: a TestMain calls [Child] first, which
// is that process's whole run if it was started as one. They end with the one who
// started them, and are killed after a minute.
//
// # What is counted
//
// Time is CLOCK_MONOTONIC from before the first send to behind the last receive.
// Processor time is that of all threads of both processes, user and system.
// Allocations are those of both for each message, the most of all rounds, in
// hundredths: the few that any program makes do not show where there are messages
// enough. All threads run where the system puts them, but with [Task.OneCPU].
//
// # When not to use it
//
// It knows one sender and one receiver, who do nothing else. On a machine of a few
// processors the time of single messages depends on where the system puts both,
// and moves by a third between runs; the ratios of one run are what counts. Where
// others use the machine, too, it is that of processor time.
package ipc
