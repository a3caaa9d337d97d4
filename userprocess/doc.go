// Package userprocess runs child processes: a role of this program, or another
// program, with the descriptors that were named and no others.
//
//	func main() {
//		userprocess.Main(userprocess.Roles{"worker": work})
//		…
//		p, err := (&userprocess.Command{Role: "worker", Pipe: uds.SeqPacket}).Start(ctx)
//	}
//
//	func work(ctx context.Context, c *userprocess.Child) error { … }
//
// Go cannot fork without exec, so a role runs in this program started again, from
// /proc/self/exe: parent and child are one version, whatever has become of the
// file. Functions and variables do not cross over. What does is the name of the
// role, its arguments, and descriptors.
//
//	      parent                                   child
//	┌──────────────────┐         lifeline         ┌─────────────────────┐
//	│ Process          ├──────────────────────────┤ Main                │
//	│   Pipe()         ├──── packets or bytes ────┤   Child.Pipe()      │
//	│   Command.Files  ├─── copies, by name ─────▶│   Child.Conn(name)  │
//	│   Wait, Stop     │◀── pidfd ──              │   Role(ctx, Child)  │
//	└──────────────────┘                          └─────────────────────┘
//
// # Lifetime
//
// A child does not outlive its parent by more than a second, however the parent
// ends. A role has the lifeline for that, a socket that nobody else has: at its end
// the role's context ends, and half a second later the process. Other programs
// have PR_SET_PDEATHSIG, and die at once. What a child forks by itself is not
// covered, but for this: who kills a child with Kill or Stop, and a role without its
// parent, kills what is in the child's process group, too. Nor is a program covered
// that changes its user, for the kernel lets those go.
//
// The parent learns of a child's end from a pidfd, in the runtime's poller: there
// is no handler for SIGCHLD, no thread for each child, and os/exec may be used
// beside this package.
//
// Each child leads a process group of its own, so that Ctrl-C in a terminal
// reaches the parent alone, and roles ignore SIGINT besides: who stops a child is
// its parent.
//
// # When not to use it
//
// To run a command and to collect what it prints there is os/exec. To keep
// processes running there is package procpool.
//
// # Concurrency
//
// The methods of a Process may be called by several goroutines at a time. Start
// starts one goroutine, which ends with the child, and another one for all
// children, which ends with the last of them: PR_SET_PDEATHSIG follows the thread
// that starts a child, so one thread starts them all. The package logs nothing,
// but Main prints the error of a role.
//
// It needs Linux ≥ 5.4. From 5.11 on, Start makes every descriptor of this process
// but 0, 1 and 2 close-on-exec, see close_range(2), so that a child has none that
// other code has opened without that. Before, it has those.
package userprocess
