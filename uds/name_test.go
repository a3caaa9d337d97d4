//go:build linux

package uds_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
)

// long returns a path in dir that has n bytes.
func long(dir string, n int) string {
	return dir + "/" + strings.Repeat("x", n-len(dir)-1)
}

// A path may have all 108 bytes of sun_path, without a NUL after it. See unix(7),
// BUGS.
func TestPathLength(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	for _, n := range []int{106, 107, 108} {
		path := long(dir, n)
		l, err := uds.Listen(uds.SeqPacket, path, nil)
		if err != nil {
			t.Errorf("Listen(a path of %d bytes): %v", n, err)
			continue
		}
		if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeSocket {
			t.Errorf("Lstat(a path of %d bytes) = %v, %v; want a socket", n, info, err)
		}
		c, err := uds.Dial(patient(t), uds.SeqPacket, path)
		must(t, err)
		if got := c.RemoteAddr().String(); got != path {
			t.Errorf("RemoteAddr = %q, want the %d bytes of %q", got, n, path)
		}
		if got := l.Addr().String(); got != path {
			t.Errorf("Addr = %q, want the %d bytes of %q", got, n, path)
		}
		// The server's end has the name, too.
		s, err := l.AcceptConn(patient(t))
		must(t, err)
		if got := s.LocalAddr().String(); got != path {
			t.Errorf("LocalAddr = %q, want the %d bytes of %q", got, n, path)
		}
		must(t, errors.Join(c.Close(), s.Close(), l.Close()))
	}
}

// The name of the longest path arrives with a datagram.
func TestPathLengthOfSender(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	for _, n := range []int{107, 108} {
		path := long(dir, n)
		c, err := uds.ListenDatagram(path, nil)
		must(t, err)
		if _, err := c.SendTo(patient(t), []byte("x"), path); err != nil {
			t.Errorf("SendTo(a path of %d bytes): %v", n, err)
		}
		if _, from, err := c.ReceiveFrom(patient(t), make([]byte, 1)); from != path || err != nil {
			t.Errorf("ReceiveFrom = %q, %v; want the %d bytes of %q", from, err, n, path)
		}
		must(t, c.Close())
	}
}

// everywhere calls f for each function that takes a name, with what it returns.
func everywhere(t *testing.T, name string, f func(function string, err error)) {
	t.Helper()
	closed := func(c interface{ Close() error }, err error) error {
		if err == nil {
			must(t, c.Close())
		}
		return err
	}
	l, err := uds.Listen(uds.Stream, name, nil)
	f("Listen", closed(l, err))
	c, err := uds.ListenDatagram(name, nil)
	f("ListenDatagram", closed(c, err))
	for _, kind := range kinds() {
		c, err = uds.Dial(patient(t), kind, name)
		f("Dial "+kind.String(), closed(c, err))
	}
	c, err = uds.ListenDatagram(abstract(t), nil)
	must(t, err)
	_, err = c.SendTo(patient(t), []byte("x"), name)
	f("SendTo", err)
	must(t, c.Close())
}

func TestWrongNames(t *testing.T) {
	leaktest.Check(t)
	dir := place(t)
	for _, test := range []struct {
		what, name string
		want       error
		words      []string
	}{
		{"a path of 109 bytes", long(dir, 109), unix.ENAMETOOLONG, []string{"109 bytes", "may have 108"}},
		{"a path of 70000 bytes", long(dir, 70000), unix.ENAMETOOLONG, []string{"70000 bytes", "may have 108"}},
		{"an abstract name of 108 bytes", "@" + strings.Repeat("x", 108), unix.ENAMETOOLONG, []string{"109 bytes", "may have 108"}},
		{"no name", "", nil, []string{"the name is empty"}},
		{"an empty abstract name", "@", nil, []string{"the abstract name is empty"}},
		{"a path with a NUL", dir + "/a\x00b", unix.EINVAL, []string{"NUL at byte"}},
		{"a path with a NUL first", "\x00a", unix.EINVAL, []string{"NUL at byte 0"}},
	} {
		everywhere(t, test.name, func(function string, err error) {
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s(%s) = %v, want %v", function, test.what, err, test.want)
				return
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s(%s) = %v, want it to say %q", function, test.what, err, word)
				}
			}
		})
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left: %q, want nothing", left)
	}
}

// An abstract name may have any bytes, and all of them count.
func TestAbstractNames(t *testing.T) {
	leaktest.Check(t)
	base := abstract(t)
	rest := strings.Repeat("\xff", uds.MaxName-len(base)-1)
	names := []string{base, base + "\x00", base + "\x00\x00", base + "\x00\xfe\n", base + rest + "\x00", base + rest + "y"}
	var open []*uds.Conn
	for _, name := range names {
		c, err := uds.ListenDatagram(name, &uds.ListenOptions{Mode: 0o600, Dir: 0o700}) // which mean files
		if err != nil {
			t.Fatalf("ListenDatagram(%q): %v", name, err)
		}
		open = append(open, c)
		if got := c.LocalAddr().String(); got != name {
			t.Errorf("LocalAddr = %q, want %q", got, name)
		}
	}
	for i, c := range open {
		to := (i + 1) % len(open)
		if _, err := c.SendTo(patient(t), []byte(names[i]), names[to]); err != nil {
			t.Fatalf("SendTo(%q): %v", names[to], err)
		}
		p := make([]byte, uds.MaxName)
		n, from, err := open[to].ReceiveFrom(patient(t), p)
		if string(p[:n]) != names[i] || from != names[i] || err != nil {
			t.Errorf("ReceiveFrom at %q = %q from %q, %v; want %q from %[5]q", names[to], p[:n], from, err, names[i])
		}
	}
	if _, err := uds.ListenDatagram(names[1], nil); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("ListenDatagram of a name in use: %v, want EADDRINUSE", err)
	}
	// A name ends with its last descriptor.
	for _, c := range open {
		must(t, c.Close())
	}
	c, err := uds.ListenDatagram(names[1], nil)
	if err != nil {
		t.Fatalf("ListenDatagram of a name that is free again: %v", err)
	}
	must(t, c.Close())
}

// Whatever a name has in it, the kernel has the same.
func TestNameRoundTrip(t *testing.T) {
	leaktest.Check(t)
	prefix := abstract(t)
	dir := place(t) + "/"
	same := func(name string) (bool, error) {
		c, err := uds.ListenDatagram(name, nil)
		if err != nil {
			return false, err
		}
		defer func() { _ = c.Close() }() // the test is of the name
		if _, err := c.SendTo(patient(t), nil, name); err != nil {
			return false, err
		}
		_, from, err := c.ReceiveFrom(patient(t), nil)
		return from == name && c.LocalAddr().String() == name, err
	}
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 500
	properties := gopter.NewProperties(parameters)
	properties.Property("an abstract name stays what it is", prop.ForAll(func(b []byte) (bool, error) {
		return same(prefix + string(b[:min(len(b), uds.MaxName-len(prefix))]))
	}, gen.SliceOf(gen.UInt8())))
	properties.Property("a path stays what it is", prop.ForAll(func(b []byte) (bool, error) {
		for i := range b {
			if b[i] == 0 || b[i] == '/' {
				b[i] = 'x'
			}
		}
		return same(dir + "x" + string(b[:min(len(b), uds.MaxName-len(dir)-1)]))
	}, gen.SliceOf(gen.UInt8())))
	properties.TestingRun(t)
}

// A name without an "@" is a path; a file whose name begins with one is too.
func TestFileNamedLikeAnAbstractName(t *testing.T) {
	leaktest.Check(t)
	t.Chdir(place(t))
	c, err := uds.ListenDatagram("./@x", nil)
	must(t, err)
	if _, err := os.Lstat("@x"); err != nil {
		t.Error(err)
	}
	if got := c.LocalAddr().String(); got != "./@x" {
		t.Errorf("LocalAddr = %q, want ./@x", got)
	}
	must(t, c.Close())
	if _, err := os.Lstat("@x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Lstat after Close: %v, want no file", err)
	}
}

// Errors name the operation and the socket.
func TestErrorsName(t *testing.T) {
	leaktest.Check(t)
	path := place(t) + "/none/socket"
	everywhere(t, path, func(function string, err error) {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s = %v; want ENOENT with the path", function, err)
		}
	})
}
