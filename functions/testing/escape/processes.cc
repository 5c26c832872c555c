// Reaching other processes, and becoming another program.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "functions/testing/escape/attempt.h"

namespace escape {
namespace {

pid_t pid_in(const char* argument) {
  return static_cast<pid_t>(std::atol(argument));
}

Outcome signal_pid(const char* pid) {
  return judge(::kill(pid_in(pid), 0), "signal");
}
Outcome signal_all(const char*) {
  return judge(::kill(-1, SIGKILL), "signalled all");
}

Outcome pidfd_open(const char* pid) {
  return judge(::syscall(SYS_pidfd_open, pid_in(pid), 0), "pidfd");
}

Outcome attach(const char* pid) {
  return judge(::ptrace(PTRACE_SEIZE, pid_in(pid), nullptr, nullptr), "attached");
}
Outcome trace_me(const char*) {
  return judge(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr), "traced");
}

Outcome read_memory(const char* pid) {
  char room[16];
  iovec local = {room, sizeof room};
  iovec remote = {room, sizeof room};  // any address will do: what is asked is the permission
  const pid_t target = pid_in(pid) == 0 ? ::getpid() : pid_in(pid);
  return judge(::process_vm_readv(target, &local, 1, &remote, 1, 0), "read memory");
}
Outcome write_memory(const char*) {
  char room[16] = {};
  iovec part = {room, sizeof room};
  return judge(::process_vm_writev(::getpid(), &part, 1, &part, 1, 0), "wrote memory");
}

Outcome fork_child(const char*) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return judge(child, "forked");
}
Outcome vfork_child(const char*) {
  const long child = ::syscall(SYS_fork);
  if (child == 0) ::_exit(0);
  return judge(child, "forked");
}

Outcome clone_namespace(const char*) {
  const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0);
  if (child == 0) ::_exit(0);
  return judge(child, "cloned into new namespaces");
}
Outcome clone3_namespace(const char*) {
  alignas(8) std::uint64_t arguments[8] = {};  // struct clone_args
  arguments[0] = CLONE_NEWUSER;
  arguments[4] = SIGCHLD;
  const long child = ::syscall(SYS_clone3, arguments, sizeof arguments);
  if (child == 0) ::_exit(0);
  return judge(child, "cloned into new namespaces");
}

char* const kArguments[] = {const_cast<char*>("x"), nullptr};
char* const kNoVariables[] = {nullptr};

Outcome exec_path(const char* path) {
  ::execve(path, kArguments, kNoVariables);
  return denied(errno);
}
Outcome exec_again(const char*) {
  return exec_path("/proc/self/exe");
}

// Without the ticket this ends the process: the line is never written.
Outcome execveat_again(const char*) {
  const int self = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self < 0) return denied(errno);
  ::syscall(SYS_execveat, self, "", kArguments, kNoVariables, AT_EMPTY_PATH);
  return denied(errno);
}
// Nor with a guess in the upper halves.
Outcome execveat_guess(const char*) {
  const int self = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const std::uint64_t guess = std::uint64_t{0x12345678} << 32;
  ::syscall(SYS_execveat, guess | static_cast<unsigned>(self), "", kArguments, kNoVariables,
            guess | AT_EMPTY_PATH);
  return denied(errno);
}

// A call through the 32-bit or x32 door has other numbers: both are shut.
Outcome call_x32(const char*) {
  return judge(::syscall(0x40000000 + SYS_getpid), "x32 call");
}
Outcome call_i386(const char*) {
  long result = 20;  // getpid
  asm volatile("int $0x80" : "+a"(result) : : "memory");
  if (result < 0) {
    errno = static_cast<int>(-result);
    return denied(errno);
  }
  return allowed("i386 call");
}

Outcome identity(const char*) {
  return {"pid " + std::to_string(::getpid()) + " uid " + std::to_string(::getuid()) + " gid " +
          std::to_string(::getgid()) + " groups " + std::to_string(::getgroups(0, nullptr))};
}

Outcome session(const char*) {
  return {"session " + std::to_string(::getsid(0)) + " group " + std::to_string(::getpgrp())};
}

// The cpu weight of its session (sched(7), autogroup). Of all that may not administrate the kernel
// lets one in 100 ms do it and tells the others to try again.
Outcome set_autogroup(const char*) {
  const int file = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (file < 0) return denied(errno);
  constexpr int kTriesMax = 200;
  ssize_t wrote = ::write(file, "7", 1);
  for (int tries = 1; wrote < 0 && errno == EAGAIN && tries < kTriesMax; ++tries) {
    ::usleep(20'000);
    wrote = ::write(file, "7", 1);
  }
  return judge(wrote, "set autogroup");
}

// Stays until it is killed.
Outcome stay(const char*) {
  [[maybe_unused]] const ssize_t told = ::write(3, "x", 1);
  for (;;) ::pause();
}

// What is in its memory, by name.
Outcome maps(const char*) {
  const int file = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return denied(errno);
  std::string text;
  char part[4096];
  for (ssize_t size = 0; (size = ::read(file, part, sizeof part)) > 0;) {
    text.append(part, static_cast<std::size_t>(size));
  }
  return {text};
}

}  // namespace

const Attempt kProcessAttempts[] = {{"signal", signal_pid},
                                    {"signal-all", signal_all},
                                    {"pidfd-open", pidfd_open},
                                    {"ptrace", attach},
                                    {"ptrace-me", trace_me},
                                    {"read-memory", read_memory},
                                    {"write-memory", write_memory},
                                    {"fork", fork_child},
                                    {"fork-call", vfork_child},
                                    {"clone-namespace", clone_namespace},
                                    {"clone3-namespace", clone3_namespace},
                                    {"exec", exec_path},
                                    {"exec-again", exec_again},
                                    {"execveat-again", execveat_again},
                                    {"execveat-guess", execveat_guess},
                                    {"x32", call_x32},
                                    {"i386", call_i386},
                                    {"identity", identity},
                                    {"maps", maps},
                                    {"session", session},
                                    {"set-autogroup", set_autogroup},
                                    {"stay", stay},
                                    {nullptr, nullptr}};

}  // namespace escape
