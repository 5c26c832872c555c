// A function tries to get out of its pod, one attempt a test. Every attempt also runs outside of a
// pod, where it must come to something else: a test that would pass anywhere proves nothing.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>

#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/packet_socket.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::sandbox::testing {
namespace {

struct Case {
  const char* test;      // name of the test
  const char* attempt;   // of functions/testing/escape
  const char* argument;  // "HOST_PID": a process of the host; "OTHER_PID": of another pod
  const char* expected;  // the line it writes
  bool control = true;   // also run it outside, where the answer must differ
};

class EscapeTest : public ::testing::TestWithParam<Case> {
 protected:
  EscapeTest() : harness_(test_config()) { harness_.set_artefact(SUBITO_ESCAPE_POD_PATH); }

  std::string argument(const std::string& given) {
    std::string text = given;
    replace(text, "HOST_PID", ::getpid());
    if (text.find("OTHER_PID") != std::string::npos) {
      other_ = harness_.create();
      EXPECT_TRUE(harness_.launch(other_, {"escape", "stay"}).has_value());
      replace(text, "OTHER_PID", harness_.await_created(other_).host_pid);
    }
    return text;
  }

  static void replace(std::string& text, const std::string& name, pid_t pid) {
    const std::size_t at = text.find(name);
    if (at != std::string::npos) text.replace(at, name.size(), std::to_string(pid));
  }

  Harness harness_;
  SandboxId other_;
};

TEST_P(EscapeTest, IsDenied) {
  const Case& attempt = GetParam();
  const std::vector<std::string> argv = {"escape", attempt.attempt, argument(attempt.argument)};
  const Harness::Ended ended = harness_.run(argv);
  ASSERT_TRUE(ended.exited.has_value());
  EXPECT_EQ(ended.output, std::string(attempt.expected) + "\n");
  EXPECT_EQ(ended.exited->wait_status, 0);
  if (attempt.control) {
    const std::string outside = run_outside(argv);
    EXPECT_NE(outside, ended.output);
    EXPECT_NE(outside, "") << "the control did not run";
  }
}

constexpr char kEperm[] = "denied EPERM";
constexpr char kEnoent[] = "denied ENOENT";
constexpr char kErofs[] = "denied EROFS";

constexpr Case kFiles[] = {
    {"HostPasswords", "read-file", "/etc/passwd", kEnoent},
    {"HostShadow", "read-file", "/etc/shadow", kEnoent},
    {"RootOfFirstProcess", "read-file", "/proc/1/root/etc/passwd", kEnoent},
    {"HostProcessRoot", "read-file", "/proc/HOST_PID/root/etc/passwd", kEnoent},
    {"HostProcessEnvironment", "read-file", "/proc/HOST_PID/status", kEnoent},
    {"OtherPodsFiles", "read-file", "/proc/OTHER_PID/status", kEnoent},
    {"KernelMessages", "read-file", "/dev/kmsg", kEnoent},
    {"KernelSettings", "read-file", "/proc/sys/kernel/hostname", kEnoent},
    {"Climbing", "climb", "", kEnoent},
    {"ListRoot", "list", "/sys", kEnoent},
    {"WriteRoot", "write-file", "/x", kErofs},
    {"WriteDev", "write-file", "/dev/x", kErofs},
    {"WriteSettings", "write-file", "/proc/sys/kernel/hostname", kEnoent},
    {"WriteOwnBinary", "write-file", "/proc/self/exe", "denied EACCES"},
    {"Chroot", "chroot", "", kEperm},
    {"PivotRoot", "pivot-root", "", kEperm},
    {"MakeDevice", "make-device", "", kEperm},
    {"MountTmpfs", "mount-tmpfs", "", kEperm},
    {"BindRoot", "bind-root", "", kEperm},
    {"RemountRoot", "remount-root", "", kEperm},
    {"OpenTree", "open-tree", "", kEperm},
    {"Unmount", "unmount", "", kEperm},
    {"OpenByHandle", "open-by-handle", "", kEperm},
    {"FillTmp", "fill-tmp", "", "denied ENOSPC", false},
    {"FillTmpWithFiles", "fill-tmp-inodes", "", "denied ENOSPC", false},
    {"ExecFromTmp", "exec-from-tmp", "", kEperm},
};

constexpr Case kProcesses[] = {
    {"SignalHost", "signal", "HOST_PID", "denied ESRCH"},
    {"SignalOtherPod", "signal", "OTHER_PID", "denied ESRCH"},
    {"SignalAll", "signal-all", "", "denied ESRCH", false},
    {"PidfdOfHost", "pidfd-open", "HOST_PID", kEperm},
    {"Ptrace", "ptrace", "HOST_PID", kEperm},
    {"PtraceOtherPod", "ptrace", "OTHER_PID", kEperm},
    {"PtraceMe", "ptrace-me", "", kEperm},
    {"ReadMemory", "read-memory", "", kEperm},
    {"WriteMemory", "write-memory", "", kEperm},
    {"Fork", "fork", "", kEperm},
    {"ForkCall", "fork-call", "", kEperm},
    {"ForkWithoutEnd", "fork-without-end", "", "made 0, then denied EPERM", false},
    {"CloneNamespace", "clone-namespace", "", kEperm},
    {"Clone3Namespace", "clone3-namespace", "", "denied ENOSYS"},
    {"ExecShell", "exec", "/bin/true", kEperm, false},
    {"ExecItself", "exec-again", "", kEperm, false},
    {"KeepsOnlyItsDescriptors", "descriptors", "", "0 1 2 3 "},
    {"SeesOnlyItself", "list", "/proc", "self thread-self 1 "},
    {"IsNobody", "identity", "", "pid 1 uid 1000 gid 1000 groups 0"},
    {"SessionAndGroupAreItsOwn", "session", "", "session 1 group 1"},
    {"DescriptorsWithoutEnd", "descriptors-without-end", "", "made 1020, then denied EMFILE"},
};

constexpr Case kKernel[] = {
    {"LoadModule", "load-module", "", kEperm},
    {"LoadModuleFile", "load-module-file", "", kEperm},
    {"Kexec", "kexec", "", kEperm},
    {"Reboot", "reboot", "", kEperm},
    {"SwapOn", "swap-on", "", kEperm},
    {"KernelLog", "kernel-log", "", kEperm},
    {"Quota", "quota", "", kEperm},
    {"Settimeofday", "settimeofday", "", kEperm},
    {"ClockSettime", "clock-settime", "", kEperm},
    {"Adjtimex", "adjtimex", "", kEperm},
    {"Hostname", "hostname", "", kEperm},
    {"Domainname", "domainname", "", kEperm},
    {"HasNoCapabilities", "capabilities", "",
     "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 1 2 "},
    {"GainCapability", "gain-capability", "", kEperm},
    {"RaiseAmbient", "raise-ambient", "", kEperm, false},
    {"Securebits", "securebits", "", kEperm},
    {"ForgetParent", "forget-parent", "", kEperm},
    {"SetDumpable", "set-dumpable", "", kEperm},
    {"Setuid", "setuid", "", kEperm},
    {"Setgid", "setgid", "", kEperm},
    {"Setgroups", "setgroups", "", kEperm},
    {"UnshareUser", "unshare-user", "", kEperm},
    {"UnshareMount", "unshare-mount", "", kEperm},
    {"Setns", "setns", "", kEperm},
    {"Keyctl", "keyctl", "", kEperm},
    {"AddKey", "add-key", "", kEperm},
    {"RequestKey", "request-key", "", kEperm},
    {"Bpf", "bpf", "", kEperm},
    {"Userfaultfd", "userfaultfd", "", kEperm},
    {"IoUring", "io-uring", "", kEperm},
    {"Perf", "perf", "", kEperm},
    {"Memfd", "memfd", "", kEperm},
    {"Personality", "personality", "", kEperm},
    {"Tiocsti", "tiocsti", "", kEperm},
    {"RaiseLimit", "raise-limit", "", kEperm, false},
    {"Seccomp", "seccomp", "", kEperm},
    {"SharedMemory", "shared-memory", "", kEperm},
    {"Semaphores", "semaphores", "", kEperm},
    {"MessageQueue", "message-queue", "", kEperm},
    {"PosixQueue", "posix-queue", "", kEperm},
};

constexpr Case kNetwork[] = {
    {"Tcp", "tcp", "", kEperm},
    {"Tcp6", "tcp6", "", kEperm},
    {"Udp", "udp", "", kEperm},
    {"Raw", "raw", "", kEperm},
    {"Packet", "packet", "", kEperm},
    {"Netlink", "netlink", "", kEperm},
    {"Vsock", "vsock", "", kEperm},
    {"Unix", "unix", "", kEperm},
    {"Socketpair", "socketpair", "", kEperm},
    {"BindChannel", "bind-channel", "", kEperm},
    {"ConnectChannel", "connect-channel", "", kEperm},
    {"ListenChannel", "listen-channel", "", kEperm},
    {"AcceptChannel", "accept-channel", "", kEperm},
    {"PidfdOfTheChannelsOtherEnd", "peer-pidfd", "", kEperm},
    {"PidfdsWithMessages", "pass-pidfd", "", kEperm},
};

// The same by a pod that begins as the image of a template: nothing of what keeps it in may be
// less.
class TemplateEscapeTest : public EscapeTest {};

TEST_P(TemplateEscapeTest, IsDenied) {
  const Case& attempt = GetParam();
  const UniqueFd image =
      harness_.make_image({"escape", "template", attempt.attempt, argument(attempt.argument)});
  const Harness::Ended ended = harness_.run_image(image.get());
  ASSERT_TRUE(ended.exited.has_value());
  EXPECT_EQ(ended.output, std::string(attempt.expected) + "\n");
  EXPECT_EQ(ended.exited->wait_status, 0);
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return info.param.test;
}

INSTANTIATE_TEST_SUITE_P(Files, EscapeTest, ::testing::ValuesIn(kFiles), name_of);
INSTANTIATE_TEST_SUITE_P(Processes, EscapeTest, ::testing::ValuesIn(kProcesses), name_of);
INSTANTIATE_TEST_SUITE_P(Kernel, EscapeTest, ::testing::ValuesIn(kKernel), name_of);
INSTANTIATE_TEST_SUITE_P(Network, EscapeTest, ::testing::ValuesIn(kNetwork), name_of);

INSTANTIATE_TEST_SUITE_P(Files, TemplateEscapeTest, ::testing::ValuesIn(kFiles), name_of);
INSTANTIATE_TEST_SUITE_P(Processes, TemplateEscapeTest, ::testing::ValuesIn(kProcesses), name_of);
INSTANTIATE_TEST_SUITE_P(Kernel, TemplateEscapeTest, ::testing::ValuesIn(kKernel), name_of);
INSTANTIATE_TEST_SUITE_P(Network, TemplateEscapeTest, ::testing::ValuesIn(kNetwork), name_of);

// What is not answered but ends the pod.
class FatalEscapeTest : public EscapeTest {};

TEST_P(FatalEscapeTest, KillsThePod) {
  const Case& attempt = GetParam();
  const Harness::Ended ended = harness_.run({"escape", attempt.attempt});
  ASSERT_TRUE(ended.exited.has_value());
  EXPECT_EQ(ended.output, "");
  ASSERT_TRUE(WIFSIGNALED(ended.exited->wait_status));
  EXPECT_EQ(WTERMSIG(ended.exited->wait_status), SIGSYS);
}

class FatalTemplateEscapeTest : public EscapeTest {};

TEST_P(FatalTemplateEscapeTest, KillsThePod) {
  const UniqueFd image = harness_.make_image({"escape", "template", GetParam().attempt});
  const Harness::Ended ended = harness_.run_image(image.get());
  ASSERT_TRUE(ended.exited.has_value());
  EXPECT_EQ(ended.output, "");
  ASSERT_TRUE(WIFSIGNALED(ended.exited->wait_status));
  EXPECT_EQ(WTERMSIG(ended.exited->wait_status), SIGSYS);
}

constexpr Case kFatal[] = {
    {"ExecveatItself", "execveat-again", "", ""},
    {"ExecveatWithGuessedTicket", "execveat-guess", "", ""},
    {"X32Call", "x32", "", ""},
    {"I386Call", "i386", "", ""},
};
INSTANTIATE_TEST_SUITE_P(Fatal, FatalEscapeTest, ::testing::ValuesIn(kFatal), name_of);
INSTANTIATE_TEST_SUITE_P(Fatal, FatalTemplateEscapeTest, ::testing::ValuesIn(kFatal), name_of);

using Escape = EscapeTest;

TEST_F(Escape, AbstractSocketOfTheHostIsOutOfReach) {
  const std::string name = "subito-escape-test-" + std::to_string(::getpid());
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(run_outside({"escape", "abstract", name}), "allowed: connected\n");
  EXPECT_EQ(harness_.run({"escape", "abstract", name}).output, "denied EPERM\n");
}

// Listens on a port of 127.0.0.1.
UniqueFd listen_somewhere(sockaddr_in& address) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.get(), 8), 0);
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return listener;
}

// A connection as the node makes it, without waiting in connect(2), whose far end has reset it.
UniqueFd reset_connection() {
  sockaddr_in address{};
  const UniqueFd listener = listen_somewhere(address);
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  (void)::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  {
    const UniqueFd far_end(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const linger reset = {1, 0};
    EXPECT_EQ(::setsockopt(far_end.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  }
  EXPECT_EQ(::fcntl(fd.get(), F_SETFL, 0), 0);
  return fd;
}

TEST_F(Escape, ResetConnectionThatItWasHandedConnectsNowhereElse) {
  sockaddr_in address{};
  const UniqueFd listener = listen_somewhere(address);
  const std::string port = std::to_string(ntohs(address.sin_port));
  for (const char* attempt : {"reopen-by-sendto", "reopen-by-sendmsg", "reopen-by-sendmmsg"}) {
    const std::vector<std::string> argv = {"escape", attempt, port};
    EXPECT_EQ(run_outside(argv, reset_connection().get()),
              "allowed: sent to an address of its own choice\n");
    const UniqueFd handed = reset_connection();
    const int fd = handed.get();
    const SandboxId id = harness_.create();
    ASSERT_EQ(send_packet(harness_.ends(id).channel.get(), "x", 1, nullptr, 0, &fd, 1, 0), 0);
    ASSERT_TRUE(harness_.launch(id, argv).has_value());
    EXPECT_EQ(harness_.await_end(id).output, "denied EPERM\n");
  }
}

TEST_F(Escape, CpuWeightOfTheLauncherStaysAsItIs) {
  const std::string file =
      "/proc/" + std::to_string(harness_.client().launcher_pid()) + "/autogroup";
  const auto before = read_at(AT_FDCWD, file.c_str());
  if (!before) GTEST_SKIP() << "the kernel has no autogroups";
  EXPECT_EQ(harness_.run({"escape", "set-autogroup"}).output, "allowed: set autogroup\n")
      << "of its own session";
  EXPECT_EQ(*read_at(AT_FDCWD, file.c_str()), *before);
}

TEST_F(Escape, ItsOwnBinaryIsNotThereByItsPathOnTheHost) {
  ASSERT_EQ(::access(SUBITO_ESCAPE_POD_PATH, R_OK), 0);
  EXPECT_EQ(harness_.run({"escape", "read-file", SUBITO_ESCAPE_POD_PATH}).output,
            "denied ENOENT\n");
}

TEST_F(Escape, MemoryWithoutEndIsReportedAsOutOfMemory) {
  CreateRequest request;
  request.limits.memory_bytes_max = 32 << 20;
  const Harness::Ended ended = harness_.run({"escape", "take-memory"}, request);
  ASSERT_TRUE(ended.exited.has_value());
  EXPECT_GE(ended.exited->oom_kills, 1U);
  EXPECT_EQ(WTERMSIG(ended.exited->wait_status), SIGKILL);
  EXPECT_LE(ended.exited->memory_bytes_peak, std::uint64_t{32} << 20);
  EXPECT_GE(ended.exited->memory_bytes_peak, std::uint64_t{16} << 20);
  EXPECT_EQ(ended.output, "");
}

TEST_F(Escape, ThreadsWithoutEndStopAtTheLimit) {
  CreateRequest request;
  request.limits.pids_max = 16;
  const Harness::Ended ended = harness_.run({"escape", "threads-without-end"}, request);
  EXPECT_EQ(ended.output, "made 15, then denied EAGAIN\n");
}

TEST_F(Escape, RegistersHoldNothingOfTheTicketAfterExec) {
  harness_.set_artefact(SUBITO_REGISTERS_POD_PATH);
  const Harness::Ended ended = harness_.run({"registers"});
  EXPECT_EQ(ended.output, std::string(15 * 8, '\0'));
}

TEST_F(Escape, ItsOwnTmpIsThereAndForItAlone) {
  EXPECT_EQ(harness_.run({"escape", "use-tmp"}).output, "allowed: written\n");
  EXPECT_EQ(harness_.run({"escape", "list", "/tmp"}).output, "\n");
}

}  // namespace
}  // namespace subito::sandbox::testing
