// Package bench measures the kit from outside. It has benchmarks only.
//
// Those of framing come in two forms. BenchmarkPush, BenchmarkPull,
// BenchmarkScanner and BenchmarkBytewise measure one way each, for benchstat to
// compare runs:
//
//	go test -run '^$' -bench 'Push|Pull|Scanner|Bytewise' ./bench
//
// BenchmarkRatio runs two ways in turn, pass by pass over the same 1 MiB, and
// reports the median of the ratios of neighbouring passes with the tenth and the
// ninetieth percentile: what a machine that others use, too, can say.
//
//	go test -run '^$' -bench Ratio ./bench
//
// Those of package epoll have Reactor in their names. A server runs in a process
// and on a processor of its own, and is given load by package load, which verifies
// every byte. What is reported is the processor time that a request costs it:
//
//	go test -run '^$' -bench Reactor ./bench
//
// BenchmarkReactorFloor runs servers and a bare loop in Go in turn, each anew in
// each of 7 rounds, takes the least time of each, and reports the ratios with
// their geometric mean. With -benchtime 3s a round takes a second for each server
// and load; -benchtime 9x has 9 short rounds.
//
// Those of packages uds and sysvmsg have UDS and SysV in their names. Two processes
// talk through package ipc, which verifies every message. Each benchmark does ours
// and a base in turn, in 7 rounds, and relates the least time of each:
//
//	go test -run '^$' -bench 'UDS|SysV' ./bench
//
// Those of package procpool/inbox have Inbox in their names, and work alike:
//
//	go test -run '^$' -bench Inbox ./bench
//
// With -benchtime 100ms a round has a tenth of the messages; -benchtime 9x has 9
// rounds of a hundredth.
package bench
