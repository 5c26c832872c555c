// Changing the system, gaining rights, and the kernel's larger doors.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <unistd.h>

#include <ctime>

#include "functions/testing/escape/attempt.h"

namespace escape {
namespace {

Outcome load_module(const char*) {
  return judge(::syscall(SYS_init_module, "", 0UL, ""), "module loaded");
}
Outcome load_module_file(const char*) {
  return judge(::syscall(SYS_finit_module, 0, "", 0), "module loaded");
}
// More segments than there may be: permission is asked before they are counted.
Outcome kexec(const char*) {
  return judge(::syscall(SYS_kexec_load, 0UL, 1000UL, nullptr, 0UL), "kernel loaded");
}
// An unknown command: the kernel checks permission first (EPERM), only then the command (EINVAL).
Outcome reboot(const char*) {
  return judge(::syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, 0, nullptr),
               "reboot");
}
Outcome swap_on(const char*) {
  return judge(::syscall(SYS_swapon, "/tmp/swap", 0), "swap");
}
Outcome read_kernel_log(const char*) {
  char text[64];
  return judge(::syscall(SYS_syslog, 3, text, sizeof text), "kernel log");
}
Outcome quota(const char*) {
  return judge(::syscall(SYS_quotactl, 0x800001, nullptr, 0, nullptr), "quota");
}

// System V's, and POSIX' queues: what an ipc namespace holds. Nothing is left where it works.
Outcome shared_memory(const char*) {
  const int id = ::shmget(IPC_PRIVATE, 4096, 0600);
  const Outcome outcome = judge(id, "shared memory");
  if (id >= 0) ::shmctl(id, IPC_RMID, nullptr);
  return outcome;
}
Outcome semaphores(const char*) {
  const int id = ::semget(IPC_PRIVATE, 1, 0600);
  const Outcome outcome = judge(id, "semaphores");
  if (id >= 0) ::semctl(id, 0, IPC_RMID);
  return outcome;
}
Outcome message_queue(const char*) {
  const int id = ::msgget(IPC_PRIVATE, 0600);
  const Outcome outcome = judge(id, "message queue");
  if (id >= 0) ::msgctl(id, IPC_RMID, nullptr);
  return outcome;
}
Outcome posix_queue(const char*) {
  const char* name = "subito-escape";
  const long queue = ::syscall(SYS_mq_open, name, O_CREAT | O_RDWR, 0600, nullptr);
  const Outcome outcome = judge(queue, "posix queue");
  if (queue >= 0) ::syscall(SYS_mq_unlink, name);
  return outcome;
}

// Sets the clock to what it shows: harmless where it is allowed.
Outcome settimeofday_now(const char*) {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  return judge(::settimeofday(&now, nullptr), "clock set");
}
Outcome clock_settime_now(const char*) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return judge(::clock_settime(CLOCK_REALTIME, &now), "clock set");
}
Outcome adjust_clock(const char*) {
  timex change{};
  if (::adjtimex(&change) < 0) return denied(errno);
  change.modes = ADJ_TICK;  // as it is
  return judge(::adjtimex(&change), "clock adjusted");
}

// By [vdso], which an image may have moved: between two readings by the kernel itself.
Outcome read_clock(const char*) {
  timespec before{}, now{}, after{};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
  if (::clock_gettime(CLOCK_MONOTONIC, &now) != 0) return denied(errno);
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after);
  const auto is_before = [](const timespec& a, const timespec& b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
  };
  return {is_before(now, before) || is_before(after, now) ? "clock wrong" : "clock right"};
}

Outcome set_hostname(const char*) {
  char name[65] = {};
  ::gethostname(name, sizeof name - 1);
  return judge(::sethostname(name, std::strlen(name)), "hostname set");
}
Outcome set_domainname(const char*) {
  return judge(::setdomainname("x", 1), "domain set");
}

// The capability sets, as the kernel shows them.
Outcome capabilities(const char*) {
  const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return denied(errno);
  static char text[8192];
  [[maybe_unused]] const ssize_t size = ::read(fd, text, sizeof text - 1);
  std::string found;
  const std::string status(text);
  for (const char* key : {"CapInh:\t", "CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapAmb:\t",
                          "NoNewPrivs:\t", "Seccomp:\t"}) {
    const std::size_t at = status.find(key);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + std::strlen(key);
    found += status.substr(begin, status.find('\n', begin) - begin) + " ";
  }
  return {found};
}

Outcome gain_capability(const char*) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct data[2] = {{1U << CAP_SYS_ADMIN, 1U << CAP_SYS_ADMIN, 0}, {}};
  return judge(::syscall(SYS_capset, &header, data), "capability");
}
Outcome raise_ambient(const char*) {
  return judge(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0), "ambient");
}
Outcome change_securebits(const char*) {
  return judge(::prctl(PR_SET_SECUREBITS, 0), "securebits");
}
Outcome forget_parent(const char*) {
  return judge(::prctl(PR_SET_PDEATHSIG, 0), "no longer dies with its launcher");
}
Outcome set_dumpable(const char*) {
  return judge(::prctl(PR_SET_DUMPABLE, 0), "dumpable set");
}

Outcome get_dumpable(const char*) {
  return {"dumpable " + std::to_string(::prctl(PR_GET_DUMPABLE))};
}

Outcome become_root(const char*) {
  return judge(::syscall(SYS_setuid, 0), "uid 0");
}
Outcome become_root_group(const char*) {
  return judge(::syscall(SYS_setgid, 0), "gid 0");
}
Outcome set_groups(const char*) {
  return judge(::syscall(SYS_setgroups, 0, nullptr), "groups");
}

Outcome unshare_user(const char*) {
  return judge(::unshare(CLONE_NEWUSER), "user namespace");
}
Outcome unshare_mount(const char*) {
  return judge(::unshare(CLONE_NEWNS), "mount namespace");
}
Outcome enter_namespace(const char*) {
  const int fd = ::open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
  return judge(::setns(fd < 0 ? 0 : fd, 0), "entered namespace");
}

Outcome keyring(const char*) {
  return judge(::syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 1), "keyring");
}
Outcome add_key(const char*) {
  return judge(::syscall(SYS_add_key, "user", "x", "y", 1UL, -3), "key");
}
Outcome request_key(const char*) {
  const long result = ::syscall(SYS_request_key, "user", "x", nullptr, 0);
  // Outside a pod the key is not found, which is an answer and not a refusal.
  return result < 0 && errno == ENOKEY ? allowed("asked for a key") : judge(result, "key");
}
Outcome bpf(const char*) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  return judge(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes), "bpf map");
}
Outcome userfaultfd(const char*) {
  return judge(::syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */), "userfaultfd");
}
Outcome io_uring(const char*) {
  io_uring_params parameters{};
  return judge(::syscall(SYS_io_uring_setup, 1, &parameters), "io_uring");
}
Outcome perf(const char*) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  return judge(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0), "perf event");
}
Outcome make_memfd(const char*) {
  return judge(::memfd_create("x", 0), "memfd");
}
Outcome change_personality(const char*) {
  return judge(::personality(ADDR_NO_RANDOMIZE), "personality");
}
Outcome inject_input(const char*) {
  const char letter = 'x';
  const int result = ::ioctl(0, TIOCSTI, &letter);
  return judge(result, "typed into the terminal");
}
Outcome raise_limit(const char*) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_max += 1;
  return judge(::setrlimit(RLIMIT_NOFILE, &limit), "limit raised");
}
Outcome filter_again(const char*) {
  return judge(::syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, nullptr), "seccomp");
}

}  // namespace

const Attempt kKernelAttempts[] = {{"load-module", load_module},
                                   {"load-module-file", load_module_file},
                                   {"kexec", kexec},
                                   {"reboot", reboot},
                                   {"swap-on", swap_on},
                                   {"kernel-log", read_kernel_log},
                                   {"quota", quota},
                                   {"settimeofday", settimeofday_now},
                                   {"clock-settime", clock_settime_now},
                                   {"adjtimex", adjust_clock},
                                   {"clock", read_clock},
                                   {"hostname", set_hostname},
                                   {"domainname", set_domainname},
                                   {"capabilities", capabilities},
                                   {"gain-capability", gain_capability},
                                   {"raise-ambient", raise_ambient},
                                   {"securebits", change_securebits},
                                   {"forget-parent", forget_parent},
                                   {"set-dumpable", set_dumpable},
                                   {"get-dumpable", get_dumpable},
                                   {"setuid", become_root},
                                   {"setgid", become_root_group},
                                   {"setgroups", set_groups},
                                   {"unshare-user", unshare_user},
                                   {"unshare-mount", unshare_mount},
                                   {"setns", enter_namespace},
                                   {"keyctl", keyring},
                                   {"add-key", add_key},
                                   {"request-key", request_key},
                                   {"bpf", bpf},
                                   {"userfaultfd", userfaultfd},
                                   {"io-uring", io_uring},
                                   {"perf", perf},
                                   {"memfd", make_memfd},
                                   {"personality", change_personality},
                                   {"tiocsti", inject_input},
                                   {"raise-limit", raise_limit},
                                   {"seccomp", filter_again},
                                   {"shared-memory", shared_memory},
                                   {"semaphores", semaphores},
                                   {"message-queue", message_queue},
                                   {"posix-queue", posix_queue},
                                   {nullptr, nullptr}};

}  // namespace escape
