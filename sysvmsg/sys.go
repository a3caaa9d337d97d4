//go:build linux

package sysvmsg

import (
	"math/bits"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From <linux/ipc.h> and <linux/msg.h>.
const (
	ipcCreate   = 0o1000  // IPC_CREAT
	ipcExcl     = 0o2000  // IPC_EXCL
	ipcNoWait   = 0o4000  // IPC_NOWAIT
	msgNoError  = 0o10000 // MSG_NOERROR
	msgExcept   = 0o20000 // MSG_EXCEPT
	msgCopy     = 0o40000 // MSG_COPY
	ipcRemove   = 0       // IPC_RMID
	ipcSet      = 1       // IPC_SET
	ipcStat     = 2       // IPC_STAT
	ipcInfo     = 3       // IPC_INFO
	msgStatAny  = 13      // MSG_STAT_ANY, Linux ≥ 4.17
	ipc64       = 0x100   // IPC_64
	wordSize    = bits.UintSize / 8
	quick       = 64 << 10 // bytes; see invoke
	indexBits   = 15       // IPCMNI_SHIFT: of an ID, the index in the kernel's table
	indexBitsEx = 24       // IPCMNI_EXTEND_SHIFT, with ipcmni_extend on the kernel's command line
)

// old says that the kernel's msgctl takes the old layouts unless IPC_64 is set. On
// other processors the system call knows the new ones only, and the flag is EINVAL.
const old = runtime.GOARCH == "arm" || runtime.GOARCH == "mips64" || runtime.GOARCH == "mips64le"

// permissions mirrors, from <asm-generic/ipcbuf.h>,
//
//	struct ipc64_perm {
//		__kernel_key_t   key;
//		__kernel_uid32_t uid;
//		__kernel_gid32_t gid;
//		__kernel_uid32_t cuid;
//		__kernel_gid32_t cgid;
//		__kernel_mode_t  mode;
//		unsigned char    __pad1[4 - sizeof(__kernel_mode_t)];
//		unsigned short   seq;
//		unsigned short   __pad2;
//		__kernel_ulong_t __unused1;
//		__kernel_ulong_t __unused2;
//	};
type permissions struct {
	key                        int32
	uid, gid, cuid, cgid, mode uint32
	_, _                       uint16
	_, _                       uint
}

// seconds is a time, which 32-bit processors split into its low and its high half.
type seconds [64 / bits.UintSize]uint

// queueState mirrors, from <asm-generic/msgbuf.h>,
//
//	struct msqid64_ds {                 // 64 bits     32 bits
//		struct ipc64_perm msg_perm;
//		long              msg_stime;    //             unsigned long msg_stime, msg_stime_high;
//		long              msg_rtime;    //             unsigned long msg_rtime, msg_rtime_high;
//		long              msg_ctime;    //             unsigned long msg_ctime, msg_ctime_high;
//		unsigned long     msg_cbytes;
//		unsigned long     msg_qnum;
//		unsigned long     msg_qbytes;
//		__kernel_pid_t    msg_lspid;
//		__kernel_pid_t    msg_lrpid;
//		unsigned long     __unused4;
//		unsigned long     __unused5;
//	};
type queueState struct {
	perm                      permissions
	sent, received, changed   seconds
	bytes, messages, capacity uint
	lastSender, lastReceiver  int32
	_, _                      uint
}

// info mirrors, from <linux/msg.h>,
//
//	struct msginfo {
//		int msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
//		unsigned short msgseg;
//	};
type info struct {
	_, _                   int32
	msgmax, msgmnb, msgmni int32
	_, _                   int32
	_                      uint16
}

// rawGet is msgget(2).
func rawGet(key Key, flags int) (int, unix.Errno) {
	id, _, e := unix.RawSyscall(unix.SYS_MSGGET, uintptr(key), uintptr(flags), 0)
	return int(id), e
}

// rawControl is msgctl(2) about a queue.
func rawControl(id, command int, s *queueState) (int, unix.Errno) {
	return control(id, command, unsafe.Pointer(s))
}

// rawInfo is msgctl(2), IPC_INFO.
func rawInfo(i *info) unix.Errno {
	_, e := control(0, ipcInfo, unsafe.Pointer(i))
	return e
}

func control(id, command int, p unsafe.Pointer) (int, unix.Errno) {
	if old {
		command |= ipc64
	}
	n, _, e := unix.RawSyscall(unix.SYS_MSGCTL, uintptr(id), uintptr(command), uintptr(p))
	return int(n), e
}

// rawSend is msgsnd(2) of a struct msgbuf, m, with size bytes of payload.
func rawSend(id int, m []byte, size, flags int) unix.Errno {
	release()
	_, e := invoke(unix.SYS_MSGSND, id, m, size, flags, flags, 0)
	return e
}

// rawReceive is msgrcv(2) into a struct msgbuf, m, with room for size bytes of
// payload.
func rawReceive(id int, m []byte, size, t, flags int) (int, unix.Errno) {
	n, e := invoke(unix.SYS_MSGRCV, id, m, size, flags, t, flags)
	acquire()
	return n, e
}

// invoke is one of the two above. A call that does not wait does without the
// scheduler, which takes nearly a fifth of the time of a message of 1 KiB. But a
// large copy would keep the whole program from a garbage collection.
func invoke(trap uintptr, id int, m []byte, size, flags, a4, a5 int) (int, unix.Errno) {
	p := unsafe.Pointer(unsafe.SliceData(m))
	if flags&ipcNoWait != 0 && size <= quick {
		n, _, e := unix.RawSyscall6(trap, uintptr(id), uintptr(p), uintptr(size), uintptr(a4), uintptr(a5), 0)
		return int(n), e
	}
	n, _, e := unix.Syscall6(trap, uintptr(id), uintptr(p), uintptr(size), uintptr(a4), uintptr(a5), 0)
	return int(n), e
}
