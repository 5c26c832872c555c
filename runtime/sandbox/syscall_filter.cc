#include "runtime/sandbox/syscall_filter.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>

#include "runtime/base/check.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sandbox/syscall_list.h"

namespace subito::sandbox {
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

// Offsets of the upper halves of 64-bit arguments; x86-64 is little-endian.
constexpr std::uint32_t upper_half(int argument) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8U * argument + 4U);
}

constexpr std::size_t kTicketOfDirfd = 4;  // the instructions that hold the ticket
constexpr std::size_t kTicketOfFlags = 6;

constexpr std::array<sock_filter, 10> kTicketProgram = {{
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 7, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 7),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, upper_half(0)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, upper_half(4)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    // Falls through to libseccomp's program, which begins by loading what it needs.
}};
static_assert(offsetof(seccomp_data, args) == 16);

int add_rules(scmp_filter_ctx filter) {
  for (const int number : kAllowedSyscalls) {
    if (const int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0); error != 0) {
      return -error;
    }
  }
  for (const ArgumentRule& rule : kArgumentRules) {
    const scmp_arg_cmp compare = {rule.argument, SCMP_CMP_MASKED_EQ, rule.mask, rule.value};
    const int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule.number, 1, &compare);
    if (error != 0) return -error;
  }
  // glibc falls back to clone(2), whose flags a filter can see; clone3's are behind a pointer.
  return -seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

Result<std::vector<sock_filter>> export_program(scmp_filter_ctx filter) {
  const UniqueFd file(::memfd_create("filter", MFD_CLOEXEC));
  if (!file.valid()) return errno_error("compile seccomp filter: memfd_create");
  if (const int error = seccomp_export_bpf(filter, file.get()); error != 0) {
    return errno_error("compile seccomp filter: export", -error);
  }
  const off_t bytes = ::lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
  if (::pread(file.get(), program.data(), static_cast<std::size_t>(bytes), 0) != bytes) {
    return errno_error("compile seccomp filter: read back");
  }
  return program;
}

}  // namespace

Result<SyscallFilter> SyscallFilter::compile() {
  const Context filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (!filter) return fail(ErrorCode::kInternal, "compile seccomp filter: no context");
  // A binary tree rather than a list: fewer instructions a call, and the kernel walks the program
  // once per system call number when it is installed, to learn which are always allowed.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (const int error = add_rules(filter.get()); error != 0) {
    return errno_error("compile seccomp filter: add rules", error);
  }
  ASSIGN_OR_RETURN(const std::vector<sock_filter> rules, export_program(filter.get()));
  SyscallFilter result;
  result.program_.assign(kTicketProgram.begin(), kTicketProgram.end());
  result.program_.insert(result.program_.end(), rules.begin(), rules.end());
  CHECK(result.program_.size() <= BPF_MAXINSNS);
  return result;
}

int SyscallFilter::install(ExecTicket ticket) {
  program_[kTicketOfDirfd].k = ticket.of_dirfd;
  program_[kTicketOfFlags].k = ticket.of_flags;
  const sock_fprog program = {static_cast<unsigned short>(program_.size()), program_.data()};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

int SyscallFilter::exec_with(ExecTicket ticket, int fd, char* const* argv, char* const* envp) {
  const std::uint64_t dirfd = std::uint64_t{ticket.of_dirfd} << 32 | static_cast<std::uint32_t>(fd);
  const std::uint64_t flags = std::uint64_t{ticket.of_flags} << 32 | AT_EMPTY_PATH;
  ::syscall(SYS_execveat, dirfd, "", argv, envp, flags);
  return errno;
}

}  // namespace subito::sandbox
