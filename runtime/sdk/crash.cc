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

#include "runtime/protocol/frame.h"
#include "runtime/sdk/backtrace.h"

namespace subito::sdk {

thread_local std::uint32_t crash_invocation = 0;
std::atomic<bool> channel_is_writing = false;

namespace {

int report_fd = -1;
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

void describe_crash(FixedText& text, int signal, const siginfo_t& info, const ucontext_t& context) {
  const auto rip = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
  const auto rsp = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
  const bool fault = info.si_code > 0;
  text.add("crashed: ");
  text.add(name_of(signal));
  if (fault) {
    const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
    text.add(" at ");
    text.add_hex(address);
    // A frame that does not fit any more is touched within a few pages of the stack pointer.
    constexpr std::uintptr_t kNear = 64 << 10;
    if (signal == SIGSEGV && address + kNear > rsp && address < rsp + kNear) {
      text.add(" (stack overflow)");
    }
  }
  std::array<std::uintptr_t, kBacktraceFramesMax> frames;
  const std::size_t count = capture_backtrace(frames);
  std::size_t first = 0;  // the frames before are those of the handler
  while (first < count && frames[first] != rip) ++first;
  text.add(", backtrace ");
  text.add_hex(rip);
  for (std::size_t i = first + 1; i < count; ++i) {
    text.add(' ');
    text.add_hex(frames[i]);
  }
}

// A LOG frame by hand: the fields of protocol.Log as in pod.proto.
void send_log_frame(std::string_view message) {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  FixedText head;
  head.add('\x08');  // invocation
  head.add_varint(crash_invocation);
  head.add("\x10\x03");  // level: ERROR
  head.add('\x18');      // unix_nanoseconds
  head.add_varint(static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
                  static_cast<std::uint64_t>(now.tv_nsec));
  message = message.substr(0, 900);
  head.add('\x22');  // message
  head.add_varint(message.size());
  head.add(message);
  const auto header = protocol::encode(
      {protocol::FrameType::kLog, 0, 0, static_cast<std::uint32_t>(head.view().size()), 0});
  FixedText frame;
  frame.add({header.data(), header.size()});
  frame.add(head.view());
  // Another thread may be in the middle of a frame; it cannot take long.
  for (int i = 0; channel_is_writing && i < 20; ++i) ::poll(nullptr, 0, 1);
  static_cast<void>(::send(report_fd, frame.view().data(), frame.view().size(), MSG_NOSIGNAL));
}

void on_crash(int signal, siginfo_t* info, void* context) {
  FixedText text;
  describe_crash(text, signal, *info, *static_cast<const ucontext_t*>(context));
  if (report_fd >= 0) {
    send_log_frame(text.view());
  } else {
    text.add('\n');
    static_cast<void>(!::write(STDERR_FILENO, text.view().data(), text.view().size()));
  }
  // The handler is reset (SA_RESETHAND): a fault comes again at the same instruction and ends the
  // process. What was raised has to be raised again, which the first process of a pid namespace
  // would not feel: pid_namespaces(7).
  if (info->si_code > 0) return;
  if (::getpid() == 1) ::_exit(128 + signal);
  ::raise(signal);
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
  use_crash_stack(main_crash_stack);
  struct sigaction action = {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace subito::sdk
