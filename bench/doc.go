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
package bench
