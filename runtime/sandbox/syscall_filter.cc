#include "runtime/sandbox/syscall_filter.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace subito::sandbox {

Result<SyscallFilter> SyscallFilter::compile() {
  SyscallFilter result;
  ASSIGN_OR_RETURN(result.program_, make_syscall_program());
  return result;
}

int SyscallFilter::install(ExecTicket ticket) {
  std::vector<sock_filter>& instructions = program_.instructions;
  instructions[program_.ticket_of_dirfd].k = ticket.of_dirfd;
  instructions[program_.ticket_of_flags].k = ticket.of_flags;
  const sock_fprog program = {static_cast<unsigned short>(instructions.size()),
                              instructions.data()};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

int SyscallFilter::exec_with(ExecTicket ticket, int fd, char* const* argv, char* const* envp) {
  const std::uint64_t dirfd = std::uint64_t{ticket.of_dirfd} << 32 | static_cast<std::uint32_t>(fd);
  const std::uint64_t flags = std::uint64_t{ticket.of_flags} << 32 | AT_EMPTY_PATH;
  ::syscall(SYS_execveat, dirfd, "", argv, envp, flags);
  return errno;
}

}  // namespace subito::sandbox
