// The system calls a pod may make: what a threaded static program on glibc with libuv needs, and
// nothing that makes a socket, a process, a namespace, a mount, or reaches another process. All
// others answer EPERM; clone3 answers ENOSYS, and execveat is the ticket's (syscall_filter.h).
// docs/security.md says why for the notable absentees.
#pragma once

#include <asm/prctl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include <cstdint>

namespace subito::sandbox {

constexpr int kAllowedSyscalls[] = {
    // Descriptors and the pod's own files. The root is read-only; /tmp is its own.
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_open,
    SYS_openat,
    SYS_openat2,
    SYS_creat,
    SYS_close,
    SYS_close_range,
    SYS_lseek,
    SYS_stat,
    SYS_fstat,
    SYS_lstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_access,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlink,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_chdir,
    SYS_fchdir,
    SYS_mkdir,
    SYS_mkdirat,
    SYS_rmdir,
    SYS_unlink,
    SYS_unlinkat,
    SYS_rename,
    SYS_renameat,
    SYS_renameat2,
    SYS_link,
    SYS_linkat,
    SYS_symlink,
    SYS_symlinkat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fsync,
    SYS_fdatasync,
    SYS_flock,
    SYS_chmod,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_umask,
    SYS_utimensat,
    SYS_dup,
    SYS_dup2,
    SYS_dup3,
    SYS_fcntl,
    SYS_pipe,
    SYS_pipe2,
    SYS_sendfile,
    SYS_copy_file_range,
    SYS_fadvise64,
    // Sockets it was handed. None can be made, bound, connected or listened on.
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    SYS_getsockname,
    SYS_getpeername,
    // Waiting.
    SYS_poll,
    SYS_ppoll,
    SYS_select,
    SYS_pselect6,
    SYS_epoll_create,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_wait,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_eventfd,
    SYS_eventfd2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_signalfd4,
    SYS_pause,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_getitimer,
    SYS_setitimer,
    SYS_alarm,
    // Memory. MAP_* and PROT_* are free: a function may well be a JIT.
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_msync,
    SYS_mincore,
    SYS_membarrier,
    // Threads and signals. Process ids reach no further than its own pid namespace.
    SYS_exit,
    SYS_exit_group,
    SYS_futex,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_sched_get_priority_max,
    SYS_sched_get_priority_min,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigsuspend,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_wait4,
    SYS_waitid,
    // Looking at itself and at the clock.
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getpgrp,
    SYS_getpgid,
    SYS_getsid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getgroups,
    SYS_getresuid,
    SYS_getresgid,
    SYS_capget,
    SYS_getpriority,
    SYS_getrlimit,
    SYS_getrusage,
    SYS_times,
    SYS_time,
    SYS_gettimeofday,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_getcpu,
    SYS_sysinfo,
    SYS_uname,
    SYS_getrandom,
};

// Allowed if (argument & mask) == value, the argument seen with all its 64 bits.
struct ArgumentRule {
  int number;
  unsigned argument;
  std::uint64_t mask;
  std::uint64_t value;
};

constexpr std::uint64_t kAllBits = ~std::uint64_t{0};
constexpr std::uint64_t kLowBits = 0xffff'ffff;  // what the kernel looks at of an int
// A new thread of this very process: without all three it would be a process of its own, and a pod
// is one process (so that the end of memory, or a crash, is always the end of the whole pod).
constexpr std::uint64_t kThreadFlags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
constexpr std::uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;

// MSG_FASTOPEN is a connect(2) by another name: sent on a socket that was reset, it connects it to
// any address, in the network namespace of the node that made it (tcp(7)).
constexpr std::uint64_t kFastOpen = 0x2000'0000;
// Socket options 0 to 63, on every level. SO_PASSPIDFD (76) and SO_PEERPIDFD (77) would hand out a
// pidfd of the node; what comes after them nobody has looked at yet.
constexpr std::uint64_t kNewSocketOptions = kLowBits & ~std::uint64_t{63};

constexpr ArgumentRule kArgumentRules[] = {
    {SYS_sendto, 3, kFastOpen, 0},
    {SYS_sendmsg, 2, kFastOpen, 0},
    {SYS_sendmmsg, 3, kFastOpen, 0},
    {SYS_getsockopt, 2, kNewSocketOptions, 0},
    {SYS_setsockopt, 2, kNewSocketOptions, 0},
    {SYS_clone, 0, kThreadFlags | kNamespaceFlags, kThreadFlags},
    {SYS_prlimit64, 2, kAllBits, 0},  // reading limits only
    {SYS_arch_prctl, 0, kLowBits, ARCH_SET_FS},
    {SYS_arch_prctl, 0, kLowBits, ARCH_GET_FS},
    {SYS_prctl, 0, kLowBits, PR_SET_NAME},
    {SYS_prctl, 0, kLowBits, PR_GET_NAME},
    {SYS_prctl, 0, kLowBits, PR_SET_VMA},
    {SYS_prctl, 0, kLowBits, PR_GET_DUMPABLE},
    {SYS_prctl, 0, kLowBits, PR_GET_NO_NEW_PRIVS},
    {SYS_ioctl, 1, kLowBits, FIONBIO},
    {SYS_ioctl, 1, kLowBits, FIONREAD},
    {SYS_ioctl, 1, kLowBits, FIOCLEX},
    {SYS_ioctl, 1, kLowBits, FIONCLEX},
    {SYS_ioctl, 1, kLowBits, TCGETS},  // isatty(3)
};

}  // namespace subito::sandbox
