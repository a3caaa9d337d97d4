//go:build linux

package systemd_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/procpool/systemd"
	"github.com/plait-go/plait/uds/leaktest"
)

// activate starts a service with descriptors from 3 on, and an environment in which
// $$ is its process ID. It returns what the service prints.
func activate(t *testing.T, files []*os.File, env ...string) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := `exec "$0"`
	if len(env) > 0 {
		script = "export " + strings.Join(env, " ") + "; " + script
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script, exe)
	cmd.Env = append(os.Environ(), "SYSTEMD_TEST_SERVICE=1")
	cmd.ExtraFiles = files
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// openFiles returns a listener, a packet socket, and what is no socket.
func openFiles(t *testing.T) (tcp, udp, null *os.File) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, tcpErr := listener.(*net.TCPListener).File()
	udp, udpErr := packet.(*net.UDPConn).File()
	null, nullErr := os.Open(os.DevNull)
	if err := errors.Join(tcpErr, udpErr, nullErr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(listener.Close(), packet.Close(), tcp.Close(), udp.Close(), null.Close()); err != nil {
			t.Error(err)
		}
	})
	return tcp, udp, null
}

func TestSockets(t *testing.T) {
	leaktest.Check(t)
	tcp, udp, null := openFiles(t)
	for _, test := range []struct {
		name  string
		files []*os.File
		env   []string
		want  []string
	}{
		{"none", nil, nil, []string{""}},
		{"zero", nil, []string{"LISTEN_PID=$$", "LISTEN_FDS=0"}, []string{""}},
		{"one", []*os.File{tcp}, []string{"LISTEN_PID=$$", "LISTEN_FDS=1"}, []string{"unknown true true true"}},
		{
			"names",
			[]*os.File{tcp, udp},
			[]string{"LISTEN_PID=$$", "LISTEN_FDS=2", "LISTEN_FDNAMES=web:dns.socket"},
			[]string{"web true true true", "dns.socket true true false"},
		},
		{"of another", []*os.File{tcp}, []string{"LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=web"}, []string{""}},
		{"no count", []*os.File{tcp}, []string{"LISTEN_PID=$$"}, []string{""}},
		{"bad PID", nil, []string{"LISTEN_PID=x", "LISTEN_FDS=1"}, []string{`error: systemd: LISTEN_PID is "x", want a process ID`}},
		{"bad count", nil, []string{"LISTEN_PID=$$", "LISTEN_FDS=-1"}, []string{`error: systemd: LISTEN_FDS is "-1", want 0 to 65536`}},
		{"huge count", nil, []string{"LISTEN_PID=$$", "LISTEN_FDS=2000000000"}, []string{`error: systemd: LISTEN_FDS is "2000000000", want 0 to 65536`}},
		{
			"too few names",
			[]*os.File{tcp, udp},
			[]string{"LISTEN_PID=$$", "LISTEN_FDS=2", "LISTEN_FDNAMES=web"},
			[]string{`error: systemd: LISTEN_FDNAMES has 1 names, "web", for LISTEN_FDS=2`},
		},
		{
			"not open",
			[]*os.File{tcp},
			[]string{"LISTEN_PID=$$", "LISTEN_FDS=200"},
			[]string{`is not open`},
		},
		{
			"no socket",
			[]*os.File{tcp, null},
			[]string{"LISTEN_PID=$$", "LISTEN_FDS=2", "LISTEN_FDNAMES=web:null"},
			[]string{`error: systemd: descriptor 4 of LISTEN_FDS=2, "null": is not a socket`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := activate(t, test.files, test.env...)
			if test.name == "not open" { // which one depends on what the runtime has opened
				if len(got) != 1 || !strings.HasSuffix(got[0], "is not open") && !strings.HasSuffix(got[0], "is not a socket") {
					t.Errorf("%q", got)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotActivated(t *testing.T) {
	t.Setenv("LISTEN_PID", "")
	if files, err := systemd.Sockets(); files != nil || err != nil {
		t.Errorf("%v, %v", files, err)
	}
}
