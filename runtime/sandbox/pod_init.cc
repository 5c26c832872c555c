#include "runtime/sandbox/pod_init.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/futex.h"
#include "runtime/sandbox/granted_files.h"
#include "runtime/sandbox/launch.h"
#include "runtime/sandbox/packet_socket.h"
#include "runtime/sandbox/step_clock.h"

namespace subito::sandbox {
namespace {

constexpr int kChannelFd = 3;
constexpr int kControlFd = 4;  // these two close at exec
constexpr int kNotifyFd = 5;
constexpr int kLimitsWaitMilliseconds = 10'000;
constexpr unsigned kInnerId = 1000;  // uid and gid as the function sees them
constexpr unsigned long kLockedSecurebits =
    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

// 0 for success, else errno.
int result_of(long returned) {
  return returned < 0 ? errno : 0;
}

// The steps, in a class only so that they share what they need.
class Child {
 public:
  explicit Child(const PodInit& init) : init_(init), control_(init.control_fd) {}

  [[noreturn]] void run();

 private:
  using StepFunction = int (Child::*)();
  struct NamedStep {
    Step step;
    StepFunction function;
  };
  static const NamedStep kIsolation[];

  void perform(Step step, StepFunction function);
  [[noreturn]] void give_up(Step step, int error);

  int make_session() { return result_of(::setsid()); }
  int enter_root();
  int make_namespaces();
  int set_hostname() { return result_of(::sethostname("pod", 3)); }
  int mount_tmp();
  int mount_proc();
  int make_cgroup();
  int join_cgroup();
  int make_cgroup_namespace() { return result_of(::unshare(CLONE_NEWCGROUP)); }
  int take_network();
  int set_user();
  int make_user_namespace();
  int drop_capabilities();
  int tie_to_launcher();
  int take_descriptors();
  int install_filter();
  int await_launch();
  int wait_for_limits();
  int write_files();
  int exec();

  bool born_in_cgroup() const { return init_.cgroups->version() == CgroupVersion::kV2; }
  unsigned outer_id() const { return init_.config->uid_base + init_.slot; }

  const PodInit& init_;
  int control_;
  ExecTicket ticket_;
  ReceivedLaunch launch_;
};

const Child::NamedStep Child::kIsolation[] = {
    // Also first: a launcher that dies now would leave a child that waits for its network.
    {Step::kTieToLauncher, &Child::tie_to_launcher},
    {Step::kMakeSession, &Child::make_session},
    {Step::kEnterRoot, &Child::enter_root},
    {Step::kMakeNamespaces, &Child::make_namespaces},
    {Step::kSetHostname, &Child::set_hostname},
    {Step::kMountTmp, &Child::mount_tmp},
    {Step::kMountProc, &Child::mount_proc},
    {Step::kMakeCgroup, &Child::make_cgroup},
    {Step::kJoinCgroup, &Child::join_cgroup},
    {Step::kCgroupNamespace, &Child::make_cgroup_namespace},
    // As late as the capabilities allow: it is being made meanwhile (network_maker.h).
    {Step::kTakeNetwork, &Child::take_network},
    {Step::kSetUser, &Child::set_user},
    {Step::kMakeUserNamespace, &Child::make_user_namespace},
    {Step::kDropCapabilities, &Child::drop_capabilities},
    {Step::kTieToLauncher, &Child::tie_to_launcher},
    {Step::kTakeDescriptors, &Child::take_descriptors},
    {Step::kInstallFilter, &Child::install_filter},
};

void Child::run() {
  for (const NamedStep& step : kIsolation) perform(step.step, step.function);
  init_.shared->isolated.store(SharedSlot::kYes, std::memory_order_release);
  perform(Step::kAwaitLaunch, &Child::await_launch);
  if (launch_.wait_for_limits()) perform(Step::kSetLimits, &Child::wait_for_limits);
  if (launch_.files.valid()) perform(Step::kWriteFiles, &Child::write_files);
  // Returns only where this sandbox cannot become the image: then the binary is executed.
  if (launch_.image.valid()) (void)restore_image(launch_, *init_.kernel_areas);
  give_up(Step::kExec, exec());
}

void Child::perform(Step step, StepFunction function) {
  const std::uint64_t begin = monotonic_us();
  const int error = (this->*function)();
  if (error != 0) give_up(step, error);
  init_.shared->step_us[static_cast<std::uint32_t>(step)] =
      static_cast<std::uint32_t>(monotonic_us() - begin);
}

void Child::give_up(Step step, int error) {
  init_.shared->failed_errno = error;
  init_.shared->failed_step.store(step);
  StepFailedMessage report;
  report.step = step;
  report.os_errno = error;
  send_packet(control_, &report, sizeof report, nullptr, 0, nullptr, 0, MSG_DONTWAIT);
  ::_exit(126);
}

int Child::enter_root() {
  return result_of(::setns(init_.root_namespace_fd, CLONE_NEWNS));
}

int Child::make_namespaces() {
  const int ipc = init_.ipc_namespace_fd;
  if (ipc >= 0 && ::setns(ipc, CLONE_NEWIPC) != 0) return errno;
  return result_of(::unshare(CLONE_NEWNS | CLONE_NEWUTS | (ipc < 0 ? CLONE_NEWIPC : 0)));
}

int Child::mount_tmp() {
  char options[120];
  std::snprintf(options, sizeof options, "mode=700,size=%llu,nr_inodes=%u,uid=%u,gid=%u",
                static_cast<unsigned long long>(init_.config->tmp_bytes_max),
                init_.config->tmp_inodes_max, outer_id(), outer_id());
  return result_of(::mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options));
}

int Child::mount_proc() {
  return result_of(
      ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2,subset=pid"));
}

int Child::make_cgroup() {
  if (born_in_cgroup()) return 0;
  if (init_.cgroup_renewed &&
      init_.cgroups->set_limits(init_.cgroup, SandboxLimits{}, init_.limits)) {
    return 0;
  }
  const Status made = init_.cgroups->make(init_.cgroup, init_.limits);
  return made ? 0 : errno_of(made.error());
}

int Child::join_cgroup() {
  if (born_in_cgroup()) return 0;
  const int error = init_.cgroups->join_self(init_.cgroup);
  if (error != ENOENT || !init_.cgroup_renewed) return error;
  // A launcher of the same node that ended late has removed it: its names are the same.
  const Status made = init_.cgroups->make(init_.cgroup, init_.limits);
  return made ? init_.cgroups->join_self(init_.cgroup) : errno_of(made.error());
}

int Child::take_network() {
  LentNetwork& lent = init_.shared->network;
  // One that is late is not worth waiting for.
  (void)wait_while(lent.fd, LentNetwork::kPending, static_cast<int>(init_.config->network_wait_ms));
  UniqueFd copy;
  if (const int fd = lent.fd.load(std::memory_order_acquire); fd >= 0) {
    copy.reset(static_cast<int>(::syscall(SYS_pidfd_getfd, init_.launcher_pidfd, fd, 0)));
    lent.refused.store(!copy.valid(), std::memory_order_relaxed);
  }
  const int network = copy.valid() ? copy.get() : init_.network_namespace_fd;
  if (network < 0) return result_of(::unshare(CLONE_NEWNET));
  return result_of(::setns(network, CLONE_NEWNET));
}

int Child::set_user() {
  // Capabilities survive the change of uid, so that a host which forbids user namespaces to the
  // unprivileged still lets us make ours.
  if (::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) != 0) return errno;
  const rlimit descriptors = {init_.config->descriptors_max, init_.config->descriptors_max};
  if (::setrlimit(RLIMIT_NOFILE, &descriptors) != 0) return errno;
  const rlimit file_bytes = {init_.config->tmp_bytes_max, init_.config->tmp_bytes_max};
  if (::setrlimit(RLIMIT_FSIZE, &file_bytes) != 0) return errno;
  // No core of a pod is ever written, with what it was given: 0 would leave core_pattern's programs
  // aside, which 1 keeps away too, and one byte is less than any core: core(5).
  const rlimit core_bytes = {1, 1};
  if (::setrlimit(RLIMIT_CORE, &core_bytes) != 0) return errno;
  if (::setgroups(0, nullptr) != 0) return errno;
  if (::setresgid(outer_id(), outer_id(), outer_id()) != 0) return errno;
  return result_of(::setresuid(outer_id(), outer_id(), outer_id()));
}

int Child::make_user_namespace() {
  if (::unshare(CLONE_NEWUSER) != 0) return errno;
  // The change of uid made our /proc files root's; this makes them ours again.
  if (::prctl(PR_SET_DUMPABLE, 1) != 0) return errno;
  char map[40];
  std::snprintf(map, sizeof map, "%u %u 1", kInnerId, outer_id());
  if (const int error = write_at(AT_FDCWD, "/proc/self/setgroups", "deny"); error != 0) {
    return error;
  }
  if (const int error = write_at(AT_FDCWD, "/proc/self/gid_map", map); error != 0) return error;
  if (const int error = write_at(AT_FDCWD, "/proc/self/uid_map", map); error != 0) return error;
  // No core is dumped of it, with what requests brought. An exec decides it anew; a sandbox that
  // begins as an image stays so, as the filter forbids to change it.
  return result_of(::prctl(PR_SET_DUMPABLE, 0));
}

// A new user namespace begins with every capability in it, in the bounding set too.
int Child::drop_capabilities() {
  for (std::uint32_t capability = 0; capability <= init_.capability_last; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability) != 0) return errno;
  }
  if (::prctl(PR_SET_SECUREBITS, kLockedSecurebits) != 0) return errno;
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) return errno;
  return result_of(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int Child::tie_to_launcher() {
  // After the last change of credentials, each of which clears it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  // The launcher may have died before: its signal would never come. getppid() is 0 in here either
  // way, but its pidfd knows.
  pollfd launcher = {init_.launcher_pidfd, POLLIN, 0};
  return ::poll(&launcher, 1, 0) == 0 ? 0 : ESRCH;
}

int Child::take_descriptors() {
  ::umask(077);
  // The launcher ignores these; exec would keep it so.
  if (::signal(SIGPIPE, SIG_DFL) == SIG_ERR || ::signal(SIGXFSZ, SIG_DFL) == SIG_ERR) return errno;
  // All sources are above kNotifyFd (the launcher sees to it), so none is overwritten here.
  if (::dup2(init_.channel_fd, kChannelFd) < 0 || ::dup2(init_.stdio_fd, 1) < 0 ||
      ::dup2(init_.stdio_fd, 2) < 0 || ::dup3(init_.control_fd, kControlFd, O_CLOEXEC) < 0 ||
      ::dup3(init_.notify_fd, kNotifyFd, O_CLOEXEC) < 0) {
    return errno;
  }
  control_ = kControlFd;
  if (::close_range(kNotifyFd + 1, ~0U, 0) != 0) return errno;
  ::close(0);
  return ::open("/dev/null", O_RDONLY) == 0 ? 0 : errno;
}

int Child::install_filter() {
  if (::getrandom(&ticket_, sizeof ticket_, 0) != sizeof ticket_) return EIO;
  return init_.filter->install(ticket_);
}

// The request of a fresh one is there already. Then the launcher is not woken, nor the node by it,
// before the function begins: it looks by itself (Launcher::kLookMilliseconds).
int Child::await_launch() {
  const int error = receive_launch(kControlFd, launch_, MSG_DONTWAIT);
  if (error != EAGAIN) return error;
  // A lost byte (the pipe is never full: one per sandbox alive) is no failure.
  [[maybe_unused]] const ssize_t told = ::write(kNotifyFd, &init_.slot, sizeof init_.slot);
  prepare_restore();
  return receive_launch(kControlFd, launch_, 0);
}

int Child::wait_for_limits() {
  constexpr std::uint32_t kNo = SharedSlot::kNo;
  const int error = wait_while(init_.shared->limits_changed, kNo, kLimitsWaitMilliseconds);
  return error != 0 ? error : init_.shared->limits_errno;
}

int Child::write_files() {
  const int error = unpack_files(launch_.files.get());
  launch_.files.reset();  // an image has no place for it
  return error;
}

int Child::exec() {
  return SyscallFilter::exec_with(ticket_, launch_.artefact.get(), launch_.argv, launch_.envp);
}

}  // namespace

int errno_of(const Error& error) {
  return error.os_errno != 0 ? error.os_errno : EIO;
}

void run_pod_init(const PodInit& init) {
  Child child(init);
  child.run();
}

}  // namespace subito::sandbox
