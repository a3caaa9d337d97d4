package fuzz_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/plait-go/plait/lengthfield"
)

// FuzzOracleLength: a length says what arithmetic without bounds says, and a
// varint what the standard library does. Field stands behind offset bytes; every
// prefix of it is tried.
func FuzzOracleLength(f *testing.F) {
	fields := []string{
		"", "\x00", "\x00\x00", "\x00\x01A", "\x7f\xff\xff\xff", "\x80\x00\x00\x00", "GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\x00\x01",
		"\x00\x00\x00\x00\x00\x00\x00\x00", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\x80\x00\x00\x00\x00\x00\x00\x00",
		"\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\xff\xff\xff\x7f", "\x00\x00\x00\x00\xff\xff\xff\xff",
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", "\x81\x00",
		"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\xf6\xff\xff\xff\xff\xff\xff\xff\x7f", "\xff\xff\xff\xff\x7f", "\x7f",
	}
	for i, field := range fields {
		for _, k := range codes() {
			f.Add(k.name, uint16(i%3), int32(k.width), []byte(field))
			f.Add(k.name, uint16(0), int32(-(i % 4)), []byte(field))
			f.Add(k.name, uint16(7), int32(0), []byte(field))
		}
		f.Add(byte('C'), uint16(0), int32(9), []byte(field))
		f.Add(byte('J'), uint16(65535), int32(65535), []byte(field))
		f.Add(byte('C'), uint16(0), int32(-65535), []byte(field))
	}
	f.Fuzz(func(t *testing.T, name byte, offset uint16, body int32, field []byte) {
		check(t, fixedOracle(name, int(offset), int(body), field))
		width := int(body&15) + 1
		check(t, varintOracle(int(offset), width, false, field), varintOracle(int(offset), width, true, field))
	})
}

// fixedOracle compares a Codec of New with the oracle.
func fixedOracle(name byte, offset, body int, field []byte) string {
	format := lengthfield.Format{Type: name, Offset: offset, Body: body}
	c, err := lengthfield.New(format)
	i := slices.IndexFunc(codes(), func(k code) bool { return k.name == name })
	if want := i >= 0 && body >= -65535 && body <= 65535 && codes()[i].reaches(offset, body); want != (err == nil) {
		return fmt.Sprintf("New(%+v) = %v; want a Codec: %v", format, err, want)
	}
	if err != nil {
		return ""
	}
	return everyPrefix(fmt.Sprintf("New(%+v)", format), c, codes()[i].oracle(offset, body), offset, field)
}

// reaches reports whether the largest length of k makes a frame that has a
// whole header.
func (k code) reaches(offset, body int) bool {
	bits := 8 * k.width
	if k.signed {
		bits--
	}
	most := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	most.Add(most, big.NewInt(int64(body-1)))
	return most.Cmp(big.NewInt(int64(offset+k.width))) >= 0
}

// varintOracle compares a Codec of Varint or PaddedVarint with the oracle.
func varintOracle(offset, width int, padded bool, field []byte) string {
	construct, name := lengthfield.Varint, "Varint"
	if padded {
		construct, name = lengthfield.PaddedVarint, "PaddedVarint"
	}
	what := fmt.Sprintf("%s(%d, %d)", name, offset, width)
	c, err := construct(offset, width)
	if (err == nil) != (width <= 10) {
		return fmt.Sprintf("%s = %v", what, err)
	}
	if err != nil {
		return ""
	}
	return everyPrefix(what, c, uvarint(offset, width, padded), offset, field)
}

// everyPrefix compares Split with the oracle on all that a stream may show of a
// header, from offset bytes on.
func everyPrefix(what string, c *lengthfield.Codec, o oracle, offset int, field []byte) string {
	data := append(make([]byte, offset), field[:min(len(field), 20)]...)
	for k := max(1, offset); k <= len(data); k++ {
		n, err := c.Split(data[:k], 0)
		if diff := o(data[:k]).mismatch(n, err); diff != "" {
			return fmt.Sprintf("%s: Split(%q, 0) = %s", what, data[max(0, offset-8):k], diff)
		}
	}
	return ""
}
