#include "runtime/sdk/crash.h"

#include <poll.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "runtime/protocol/frame.h"
#include "runtime/sdk/backtrace.h"
#include "runtime/sdk/build_id.h"

namespace subito::sdk {

thread_local std::uint32_t crash_invocation = 0;
std::atomic<bool> channel_is_writing = false;

namespace {

constexpr int kStandardError = -1;
constexpr int kNotServing = -2;  // serve() was not reached: the channel, if there is one

int report_fd = kNotServing;
bool installed = false;
alignas(16) char main_crash_stack[kCrashStackBytes];

// Bytes in a fixed buffer; what does not fit is left out.
class FixedText {
 public:
  void add(std::string_view text) {
    for (const char c : text) add(c);
  }
  void add(char c) {
    if (size_ < sizeof bytes_) bytes_[size_++] = c;
  }
  void add_hex(std::uint64_t value) {
    add("0x");
    int shift = 60;
    while (shift > 0 && (value >> shift) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) add("0123456789abcdef"[(value >> shift) & 15]);
  }
  void add_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) add(static_cast<char>(value | 0x80));
    add(static_cast<char>(value));
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  std::size_t size_ = 0;
  char bytes_[1024];
};

std::string_view name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    default:
      return "SIGABRT";
  }
}

struct Crash {
  int signal;
  FixedText text;
  std::array<std::uintptr_t, kBacktraceFramesMax> frames;  // the first: where it happened
  std::size_t count = 0;
};

void describe_fault(Crash& crash, const siginfo_t& info, const ucontext_t& context) {
  const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  const auto rsp = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
  crash.text.add(" at ");
  crash.text.add_hex(address);
  // A frame that does not fit any more is touched within a few pages of the stack pointer.
  constexpr std::uintptr_t kNear = 64 << 10;
  if (crash.signal == SIGSEGV && address + kNear > rsp && address < rsp + kNear) {
    crash.text.add(" (stack overflow)");
  }
}

void describe_crash(Crash& crash, const siginfo_t& info, const ucontext_t& context) {
  crash.text.add("crashed: ");
  crash.text.add(name_of(crash.signal));
  if (info.si_code > 0) describe_fault(crash, info, context);
  const auto rip = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]) - load_bias();
  const std::size_t count = capture_backtrace(crash.frames);
  std::size_t first = 0;  // the frames before are those of the handler
  while (first < count && crash.frames[first] != rip) ++first;
  crash.frames[0] = rip;
  for (crash.count = 1; ++first < count; ++crash.count) {
    crash.frames[crash.count] = crash.frames[first];
  }
}

// A LOG frame by hand: the fields of protocol.Log as in pod.proto.
void send_log_frame(int fd, const Crash& crash) {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  FixedText head;
  head.add('\x08');  // invocation
  head.add_varint(crash_invocation);
  head.add("\x10\x03");  // level: ERROR
  head.add('\x18');      // unix_nanoseconds
  head.add_varint(static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
                  static_cast<std::uint64_t>(now.tv_nsec));
  head.add('\x22');  // message
  head.add_varint(crash.text.view().size());
  head.add(crash.text.view());
  head.add('\x32');  // backtrace: packed, eight bytes each, the lowest first
  head.add_varint(crash.count * sizeof crash.frames[0]);
  head.add(
      {reinterpret_cast<const char*>(crash.frames.data()), crash.count * sizeof crash.frames[0]});
  head.add('\x38');  // signal
  head.add_varint(static_cast<std::uint64_t>(crash.signal));
  const auto header = protocol::encode(
      {protocol::FrameType::kLog, 0, 0, static_cast<std::uint32_t>(head.view().size()), 0});
  FixedText frame;
  frame.add({header.data(), header.size()});
  frame.add(head.view());
  // Another thread may be in the middle of a frame; it cannot take long.
  for (int i = 0; channel_is_writing && i < 20; ++i) ::poll(nullptr, 0, 1);
  static_cast<void>(::send(fd, frame.view().data(), frame.view().size(), MSG_NOSIGNAL));
}

void print_line(Crash& crash) {
  char path[kBinaryPathBytesMax];
  crash.text.add(kWhere);
  crash.text.add(binary_path(path));
  for (std::size_t i = 0; i < crash.count; ++i) {
    crash.text.add(' ');
    crash.text.add_hex(i == 0 ? crash.frames[i] : crash.frames[i] - 1);
  }
  crash.text.add('\n');
  const auto line = crash.text.view();
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
}

// Before serve() the channel is known by its place alone, as serve() will know it.
int early_report_fd() {
  int type = 0;
  socklen_t size = sizeof type;
  const bool channel = ::getsockopt(protocol::kChannelFd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
                       type == SOCK_STREAM;
  return channel ? protocol::kChannelFd : kStandardError;
}

// The node asks where a pod is that it is about to kill: from outside its pid namespace.
bool is_asked(const siginfo_t& info) {
  return info.si_code == SI_USER && info.si_pid == 0 && ::getpid() == 1;
}

void on_crash(int signal, siginfo_t* info, void* context) {
  // This very thread may be in the middle of a frame, which nothing may come into.
  if (is_asked(*info) && channel_is_writing) ::_exit(128 + signal);
  Crash crash{signal, {}, {}};
  describe_crash(crash, *info, *static_cast<const ucontext_t*>(context));
  const int fd = report_fd == kNotServing ? early_report_fd() : report_fd;
  if (fd >= 0) {
    send_log_frame(fd, crash);
  } else {
    print_line(crash);
  }
  // The handler is reset (SA_RESETHAND): a fault comes again at the same instruction and ends the
  // process. What was raised has to be raised again, which the first process of a pid namespace
  // would not feel: pid_namespaces(7).
  if (info->si_code > 0) return;
  if (::getpid() == 1) ::_exit(128 + signal);
  ::raise(signal);
}

void install() {
  if (std::exchange(installed, true)) return;
  use_crash_stack(main_crash_stack);
  struct sigaction action = {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    ::sigaction(signal, &action, nullptr);
  }
}

// Before every other constructor. The same calls that serve() would make a little later.
__attribute__((constructor(101))) void report_early_crashes() {
  if (::getpid() == 1) install();
}

}  // namespace

void use_crash_stack(char* memory) {
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = kCrashStackBytes;
  ::sigaltstack(&stack, nullptr);
}

void drop_crash_stack() {
  stack_t stack = {};
  stack.ss_flags = SS_DISABLE;
  ::sigaltstack(&stack, nullptr);
}

void report_crashes(int channel_fd) {
  report_fd = channel_fd;
  install();
}

}  // namespace subito::sdk
