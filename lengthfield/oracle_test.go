package lengthfield_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/plait-go/plait/framing"
	"github.com/plait-go/plait/lengthfield"
)

// A code is what the documentation says of a Type.
type code struct {
	name   byte
	width  int
	little bool
	signed bool
}

func codes() []code {
	h := littleHost()
	return []code{
		{'c', 1, h, true},
		{'C', 1, h, false},
		{'s', 2, h, true},
		{'S', 2, h, false},
		{'n', 2, false, false},
		{'v', 2, true, false},
		{'t', 3, false, false},
		{'T', 3, true, false},
		{'l', 4, h, true},
		{'L', 4, h, false},
		{'i', 4, h, true},
		{'I', 4, h, false},
		{'N', 4, false, false},
		{'V', 4, true, false},
		{'q', 8, h, true},
		{'Q', 8, h, false},
		{'J', 8, false, false},
		{'P', 8, true, false},
	}
}

// value reads a field as a number without bounds.
func (k code) value(field []byte) *big.Int {
	if k.little {
		field = []byte(reversed(string(field)))
	}
	v := new(big.Int).SetBytes(field)
	if k.signed && field[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*k.width)))
	}
	return v
}

// most is the largest value of the code.
func (k code) most() *big.Int {
	bits := 8 * k.width
	if k.signed {
		bits--
	}
	one := big.NewInt(1)
	return new(big.Int).Sub(new(big.Int).Lsh(one, uint(bits)), one)
}

func plus(v *big.Int, n int) *big.Int { return new(big.Int).Add(v, big.NewInt(int64(n))) }

func less(v *big.Int, n int) bool { return v.Cmp(big.NewInt(int64(n))) < 0 }

// oracle answers for Split by arithmetic without bounds.
func oracle(f lengthfield.Format, k code, data []byte) answer {
	head := f.Offset + k.width
	if len(data) < head {
		return answer{}
	}
	v := k.value(data[f.Offset:head])
	total := plus(v, f.Body)
	switch {
	case v.Sign() < 0 || less(total, head):
		return corrupt()
	case !total.IsUint64():
		return answer{err: framing.ErrTooLong, size: math.MaxUint64}
	}
	return sized(total.Uint64())
}

// bytes lays the low bits of v out as the code does.
func (k code) bytes(v *big.Int) []byte {
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(8*k.width))
	b := new(big.Int).Mod(v, modulus).FillBytes(make([]byte, k.width))
	if k.little {
		return []byte(reversed(string(b)))
	}
	return b
}

// edges returns numbers at and around which an answer changes.
func edges(f lengthfield.Format, k code) []*big.Int {
	pow := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
	return []*big.Int{
		big.NewInt(0),
		big.NewInt(int64(f.Offset + k.width - f.Body)),
		k.most(),
		plus(pow(31), -f.Body),
		plus(pow(63), -f.Body),
		plus(pow(64), -f.Body),
		pow(63),
		pow(64),
	}
}

// field returns width bytes that mean anything, more often what is near an edge.
func field(r *rand.Rand, f lengthfield.Format, k code) []byte {
	v := new(big.Int).SetUint64(r.Uint64())
	if r.IntN(3) > 0 {
		near := edges(f, k)
		v = plus(near[r.IntN(len(near))], r.IntN(9)-4)
	}
	return k.bytes(v)
}

func constant(r *rand.Rand) int {
	bound := []int{2, 12, 300, 65535}[r.IntN(4)]
	return r.IntN(2*bound+1) - bound
}

func TestSplitOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	count := map[error]int{}
	for range 20_000 {
		k := codes()[r.IntN(len(codes()))]
		f := lengthfield.Format{Type: k.name, Offset: max(0, constant(r)), Body: constant(r)}
		c, err := lengthfield.New(f)
		if possible := !less(plus(k.most(), f.Body), f.Offset+k.width); possible != (err == nil) {
			t.Fatalf("New(%+v) = %v; want a Codec: %v", f, err, possible)
		}
		if err != nil {
			continue
		}
		data := append(make([]byte, f.Offset), field(r, f, k)...)
		data = append(data, make([]byte, r.IntN(3))...)
		for _, d := range [][]byte{data, data[:r.IntN(len(data))]} {
			want := oracle(f, k, d)
			want.check(t, c, d, 0)
			count[want.err]++
		}
	}
	for _, err := range []error{nil, framing.ErrCorrupt, framing.ErrTooLong} {
		if count[err] < 500 {
			t.Errorf("%d answers of %v; want 500 at least", count[err], err)
		}
	}
}

// Every code, at and around every edge of its own and of int.
func TestSplitEdges(t *testing.T) {
	for _, k := range codes() {
		for _, offset := range []int{0, 1, 7} {
			head := offset + k.width
			for _, body := range []int{0, head, head + 1, offset, -1, -head, 65535} {
				f := lengthfield.Format{Type: k.name, Offset: offset, Body: body}
				c := newCodec(t, f)
				for _, v := range edges(f, k) {
					for d := -3; d <= 3; d++ {
						data := append(make([]byte, offset), k.bytes(plus(v, d))...)
						oracle(f, k, data).check(t, c, data, 0)
					}
				}
			}
		}
	}
}
