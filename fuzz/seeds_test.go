package fuzz_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A seed is where a fuzzer begins: the arguments of newTrial.
type seed struct{ shape, data, cuts []byte }

// addSeeds gives f every seed, whole and in pieces, with and without Discard. The
// arguments that more adds, if it is not nil, come behind these three.
func addSeeds(f *testing.F, more ...any) {
	f.Helper()
	for _, s := range seeds() {
		for _, cuts := range [][]byte{nil, {1}, s.cuts} {
			for _, habits := range []byte{0, discards, discards | breaks, vandal} {
				shape := slices.Clone(s.shape)
				shape[2] |= habits
				f.Add(append([]any{shape, s.data, cuts}, more...)...)
			}
		}
	}
}

// by is a shape: a kind, Max, and what newSetup reads for that kind.
func by(kind, limit int, rest ...[]byte) []byte {
	v := 0
	for v < 255 && maxOf(v) < limit {
		v++
	}
	return append([]byte{byte(kind), byte(v), 0}, bytes.Join(rest, nil)...)
}

// delim is what choices.delimiter reads.
func delim(d string) []byte {
	if strings.Trim(d, "ab") != "" {
		return append([]byte{3}, set(d)...)
	}
	bits := byte(0)
	for i := range len(d) {
		bits |= (d[i] - 'a') << i
	}
	return []byte{0, byte(len(d) - 1), bits}
}

// set is what choices.literal reads.
func set(s string) []byte { return append([]byte{byte(len(s) - 1)}, s...) }

// format is what newSetup reads for lengthField.
func format(name byte, offset, body int) []byte {
	i := slices.IndexFunc(codes(), func(k code) bool { return k.name == name })
	return []byte{byte(i), byte(offset), byte(body + 8)}
}

func seeds() []seed {
	return slices.Concat(delimiterSeeds(), lengthSeeds(), trafficSeeds())
}

// delimiterSeeds are streams around the edges of delimiters and limits.
func delimiterSeeds() []seed {
	var all []seed
	add := func(shape []byte, data string, cuts ...byte) {
		all = append(all, seed{shape, []byte(data), cuts})
	}
	crlf := delim("\r\n")
	add(by(oneDelimiter, 0, delim("\n")), "\n\n", 1)
	add(by(oneDelimiter, 0, crlf), "ab\r\nc\nd\r\n\r\n", 3, 1, 9)
	add(by(oneDelimiter, 0, crlf), "\r\r\n\n\r\n", 1, 1, 1, 2)
	add(by(oneDelimiter, 0, delim("aab")), "aaab", 2, 1)
	add(by(oneDelimiter, 0, delim("aa")), "aaa", 1, 2)
	add(by(oneDelimiter, 0, delim("abab")), "aabababab", 4, 3)
	add(by(oneDelimiter, 4, delim("aaab")), "aaaaaaabaaab", 5, 1)
	add(by(oneDelimiter, 0, delim("\r\n\r\n")), "a\r\n\r\n\r\n\r\n", 4, 2)
	add(by(severalDelimiters, 0, delim("bab"), []byte{0}, delim("a")), "abab", 2, 1)
	add(by(severalDelimiters, 0, delim("\n"), []byte{0}, crlf), "a\r\nb\nc\r", 2, 1)
	add(by(severalDelimiters, 9, delim("aab"), []byte{1}, delim("bb"), delim("abbba")), "aaabbabbba", 3)
	add(by(severalDelimiters, 0, delim(";"), []byte{0}, delim("\x00")), strings.Repeat("1234567;", 30), 40)
	add(by(anyByte, 0, set(";\n,")), "a;b\nc,,d", 2)
	add(by(lines, 0), "a\r\n\r\r\nb\r", 2, 1, 3)
	add(by(oneDelimiter, 5, delim("\n")), "abcd\nabcde\nab\n", 5, 6)
	add(by(oneDelimiter, 4, crlf), "abcd\r\nab\r\ncd\r\n", 5, 1, 3)
	add(by(oneDelimiter, 3, delim("\n")), "abc", 3)
	add(by(oneDelimiter, 1, delim("\n")), "\na\n\n", 1)
	add(by(oneDelimiter, 16, delim("\r\n\r\n")), strings.Repeat("x", 5000)+"\r\n\r\nok\r\n\r\n", 255, 3)
	add(by(oneDelimiter, 64, delim("ab")), strings.Repeat("bbbb", 300)+"abab", 200)
	add(by(nested, 0), "()((a)(b))(", 3, 2)
	add(by(nested, 6), "(a)(((((((", 4)
	add(by(nested, 0), "(a))", 2)
	return all
}

// lengthSeeds are streams around the edges of lengths and limits.
func lengthSeeds() []seed {
	var all []seed
	add := func(shape []byte, data string, cuts ...byte) {
		all = append(all, seed{shape, []byte(data), cuts})
	}
	add(by(lengthField, 0, format('n', 0, 2)), "\x00\x00\x00\x01A\x00\x02", 3, 1)
	add(by(lengthField, 0, format('n', 0, 0)), "\x00\x00\x00\x02\x00\x01", 1, 2)
	add(by(lengthField, 5, format('n', 0, 2)), "\x00\x03abc\x00\x04abcd\x00\x00", 4, 2)
	add(by(lengthField, 6, format('N', 3, 7)), "xyz\x00\x00\x00\x00xyz\x00\x00\x00\x01", 6, 4)
	add(by(lengthField, 0, format('N', 1, 1)), "Q\x00\x00\x00\x05aQ\x00\x00\x00\x03", 2, 7)
	add(by(lengthField, 0, format('c', 0, 1)), "\x01a\x80", 1)
	add(by(lengthField, 0, format('l', 0, 4)), "\xff\xff\xff\xff", 3)
	for _, length := range []string{
		"\x7f\xff\xff\xff\xff\xff\xff\xff", "\x80\x00\x00\x00\x00\x00\x00\x00",
		"\xff\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xf0",
	} {
		add(by(lengthField, 0, format('J', 0, 8)), length+"abcdef", 7, 4)
		add(by(lengthField, 16, format('P', 2, 15)), "ab"+length+"abcdef", 9)
		add(by(lengthField, 0, format('q', 0, -8)), length, 8)
	}
	add(by(varint, 0, []byte{0, 9, 0}), "\x00\x01a\x80\x01", 1)
	add(by(varint, 0, []byte{0, 9, 1}), "\x81\x00a\x80\x80\x00", 2)
	add(by(varint, 0, []byte{0, 9, 0}), "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 9)
	add(by(varint, 0, []byte{0, 9, 1}), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 4)
	add(by(varint, 0, []byte{0, 8, 0}), "\xff\xff\xff\xff\xff\xff\xff\xff\x7fab", 6)
	add(by(varint, 0, []byte{0, 4, 0}), "\xff\xff\xff\xff\x7f", 5)
	add(by(varint, 8, []byte{1, 3, 0}), "0\x06abcdef0\x07abcdefg0\x00", 6)
	return all
}

// trafficSeeds are streams as programs send them, some to the wrong port.
func trafficSeeds() []seed {
	http := "GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n"
	hello := "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + strings.Repeat("\x5a", 40)
	smtp := "220 mx ESMTP\r\nEHLO a\r\n250-mx\r\n250 STARTTLS\r\nSTARTTLS\r\n220 go\r\n" + hello
	redis := "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n+OK\r\n"
	mqtt := "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test\x30\x09\x00\x03a/bhola\xc0\x00\xe0\x00"
	dns := "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01"
	postgres := "R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05IT\x00\x00\x00\x06\x00\x00"
	mysql := "\x05\x00\x00\x00\x03PING\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"
	crlf, big := delim("\r\n"), format('N', 0, 4)
	var all []seed
	for _, s := range []struct {
		shape []byte
		data  string
	}{
		{by(lengthField, 0, big), http},
		{by(lengthField, 0, big), hello},
		{by(lengthField, 0, format('J', 0, 8)), "SSH-2.0-OpenSSH_9.6\r\n"},
		{by(oneDelimiter, 0, crlf), http + http},
		{by(oneDelimiter, 16, crlf), http},
		{by(oneDelimiter, 0, delim("\r\n\r\n")), http + http},
		{by(oneDelimiter, 20, crlf), smtp},
		{by(lines, 0), redis},
		{by(varint, 0, []byte{1, 3, 0}), mqtt},
		{by(lengthField, 0, format('n', 0, 2)), dns + dns},
		{by(lengthField, 0, format('N', 1, 1)), postgres},
		{by(lengthField, 8, format('N', 1, 1)), postgres},
		{by(lengthField, 0, format('T', 0, 4)), mysql},
	} {
		all = append(all, seed{s.shape, []byte(s.data), []byte{7, 1, 0, 20}})
	}
	return all
}
