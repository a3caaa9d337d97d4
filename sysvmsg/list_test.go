//go:build linux

package sysvmsg_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plait-go/plait/sysvmsg"
)

const titles = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n"

func TestParseTable(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []sysvmsg.Stat
	}{
		"nothing":   {"", nil},
		"no queues": {titles, nil},
		"two queues": {
			titles +
				"         0      32770   600        8192          1  4711     0     0     0     0     0 1700000000          0 1600000000\n" +
				"-559038737          3  1666           0          0     0    12 65534 65534  1000  1000          0 1700000000 1600000000   99\n",
			[]sysvmsg.Stat{
				{
					ID: 32770, Mode: 0o600, Bytes: 8192, Messages: 1, LastSender: 4711,
					SentAt: time.Unix(1700000000, 0), ChangedAt: time.Unix(1600000000, 0),
				},
				{
					ID: 3, Key: -0x21524111, Mode: 0o666, LastReceiver: 12, UID: 65534, GID: 65534, CreatorUID: 1000, CreatorGID: 1000,
					ReceivedAt: time.Unix(1700000000, 0), ChangedAt: time.Unix(1600000000, 0),
				},
			},
		},
	} {
		got, err := sysvmsg.ParseTable(c.text)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestParseTableOfNonsense(t *testing.T) {
	row := "0 1 600 0 0 0 0 0 0 0 0 0 0 0\n"
	for name, text := range map[string]string{
		"too few columns": titles + row + "0 1 600\n",
		"an empty line":   titles + row + "\n",
		"letters":         titles + row + strings.Replace(row, "600", "rw-", 1),
		"not octal":       titles + row + strings.Replace(row, "600", "689", 1),
		"more than int64": titles + row + "99999999999999999999" + row,
	} {
		got, err := sysvmsg.ParseTable(text)
		if err == nil || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%s: %v, %v; want an error in line 3", name, got, err)
		}
	}
}
