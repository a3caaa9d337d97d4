//go:build linux

package userprocess_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/plait-go/plait/uds"
	"github.com/plait-go/plait/uds/leaktest"
	"github.com/plait-go/plait/userprocess"
)

func TestEnvAndDir(t *testing.T) {
	leaktest.Check(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OWN", "1")
	for _, launched := range []int{0, 1} { // the second one by a launcher
		got, _ := output(t, userprocess.Command{Role: "env", Args: []string{"OWN", "NEW"}, Priority: launched})
		if want := "PLAIT_CHILD  false\nPLAIT_FDS  false\nOWN 1 true\nNEW  false\n" + here + "\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		c := userprocess.Command{Role: "env", Args: []string{"OWN", "NEW"}, Env: []string{"NEW=2", "PLAIT_CHILD=x", "PLAIT_FDS=x"}, Dir: dir, Priority: launched}
		got, _ = output(t, c)
		if want := "PLAIT_CHILD  false\nPLAIT_FDS  false\nOWN  false\nNEW 2 true\n" + dir + "\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		c = shell("echo $PLAIT_CHILD,$PLAIT_FDS,$OWN,$NEW,$0,$1; pwd")
		c.Args, c.Env, c.Dir, c.Priority = append(c.Args, "zero", "one"), []string{"NEW=3", "PLAIT_CHILD=x"}, dir, launched
		got, _ = output(t, c)
		if want := ",,,3,zero,one\n" + dir + "\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Children have the descriptors that were named, and no others, whatever else is open
// here, and theirs have none of them.
func TestNoDescriptorLeaks(t *testing.T) {
	leaktest.Check(t)
	leak, err := unix.Open(os.DevNull, unix.O_RDONLY, 0) // without O_CLOEXEC
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(leak) }()
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]syscall.Conn{"exe": f}
	for _, launched := range []int{0, 1} {
		got, _ := output(t, userprocess.Command{Role: "list", Files: files, Pipe: uds.Stream, Priority: launched})
		sockets := strings.Count(got, "socket true\n")
		if rest := strings.ReplaceAll(got, "socket true\n", ""); sockets != 2 || rest != exe+" true\n" && rest != exe+" true\n/proc/"+fmt.Sprint(os.Getpid())+"/fd true\n" {
			t.Errorf("a role has %q, want two sockets and %s", got, exe)
		}
		c := shell("ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> \\([^:]*\\).*/\\1 \\2/p' | grep -v /proc; echo $PLAIT_FDS")
		c.Files, c.Pipe, c.Priority, c.Stdin, c.Stderr = files, uds.SeqPacket, launched, userprocess.Null, userprocess.Null
		got, _ = output(t, c)
		if want := "0 /dev/null\n1 pipe\n2 /dev/null\n3 socket\n4 " + exe + "\npipe=3:exe=4\n"; got != want {
			t.Errorf("another program has %q, want %q", got, want)
		}
	}
}

func TestNamedDescriptors(t *testing.T) {
	leaktest.Check(t)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/config", []byte("config's"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := os.Open(dir + "/config")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = config.Close() }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ours, theirs, err := uds.Pair(uds.SeqPacket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	if _, err := ours.Send(t.Context(), []byte("peer's")); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte("client's")); err != nil {
		t.Fatal(err)
	}
	files := map[string]syscall.Conn{"config": config, "listener": l.(*net.TCPListener), "peer": theirs, "number": config}
	got, exit := output(t, userprocess.Command{Role: "use", Args: []string{"a", "b c"}, Files: files})
	missing := func(name string) string {
		return fmt.Sprintf("true userprocess: no descriptor %q, or it was taken: file does not exist\n", name)
	}
	want := "config config's <nil>\nlistener client's <nil>\npeer peer's <nil>\n" +
		missing("config") + missing("nothing") + missing("lifeline") + missing("") + "true <nil> use [a b c]\n"
	if got != want || !exit.OK() {
		t.Errorf("%q, %v; want %q", got, exit, want)
	}
}

// A file with the name of a standard stream takes its place.
func TestFilesForStdio(t *testing.T) {
	leaktest.Check(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	c := shell("echo out; echo err >&2; echo $PLAIT_FDS")
	c.Files = map[string]syscall.Conn{"stdout": w, "stderr": w}
	p := start(t, &c)
	if exit, err := p.Wait(); !exit.OK() || err != nil {
		t.Errorf("%v, %v", exit, err)
	}
	lines := bufio.NewScanner(r)
	for _, want := range []string{"out", "err", ""} {
		if lines.Scan(); lines.Text() != want {
			t.Errorf("%q, want %q", lines.Text(), want)
		}
	}
}

// Nobody's descriptor begins, or ends, to block because a child has it.
func TestNonblockStays(t *testing.T) {
	leaktest.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w") // which block
	defer func() { _, _ = r.Close(), w.Close() }()
	files := map[string]syscall.Conn{"listener": l.(*net.TCPListener), "pipe-r": r, "stdin": r}
	for range 3 {
		got, _ := output(t, userprocess.Command{Role: "blocked", Args: []string{"listener", "pipe-r"}, Files: files})
		if want := "listener false\npipe-r true\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("here, the pipe has %#x, %v", flags, err)
	}
}

// Limits, processors and the nice value are there before the program begins.
func TestLauncher(t *testing.T) {
	leaktest.Check(t)
	c := shell("ulimit -Sn; ulimit -Hn; nice; cat /proc/self/comm; sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status; echo $$; ps -o pgid= -p $$")
	c.Rlimits = []userprocess.Rlimit{{Resource: unix.RLIMIT_NOFILE, Soft: 77, Hard: 99}}
	c.Priority, c.Affinity = 5, []int{0}
	got, exit := output(t, c)
	lines := strings.Fields(got)
	if len(lines) != 7 || strings.Join(lines[:5], " ") != "77 99 5 cat 0" || lines[5] != lines[6] || !exit.OK() {
		t.Errorf("%q, %v; want 77 99 5 cat 0, and the leader of its group", got, exit)
	}
	if runtime.NumCPU() > 1 {
		c.Affinity = []int{0, 1}
		if got, _ := output(t, c); strings.Fields(got)[4] != "0-1" {
			t.Errorf("%q, want processors 0-1", got)
		}
	}
}

func TestCredential(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	leaktest.Check(t)
	for _, launched := range []int{0, 1} {
		c := shell("id -u; id -g; id -G")
		c.Credential = &syscall.Credential{Uid: 1234, Gid: 2345, Groups: []uint32{2345, 3456}}
		c.Priority = launched
		if got, exit := output(t, c); got != "1234\n2345\n2345 3456\n" || !exit.OK() {
			t.Errorf("%q, %v", got, exit)
		}
	}
}
