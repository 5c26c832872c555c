#include "runtime/sdk/template_image.h"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>

#include <array>
#include <csetjmp>
#include <csignal>
#include <cstdio>

#include "runtime/protocol/image.h"
#include "runtime/sdk/image_writer.h"

// glibc's own idea of where the heap ends (brk(2)).
extern "C" void* __curbrk;  // NOLINT

namespace subito::sdk {
namespace {

constexpr int kSignals = 64;
constexpr std::size_t kSignalSetBytes = 8;
constexpr std::uint32_t kRseqBytes = 32;  // what glibc registers
constexpr std::size_t kNameBytes = 16;    // PR_GET_NAME
// Room on the stack between the frame that goes on and that of resume().
constexpr std::uintptr_t kResumeStackBytes = 16 << 10;

// As rt_sigaction(2) takes it, which is not as libc has it.
struct KernelAction {
  void* handler = nullptr;
  unsigned long flags = 0;
  void* restorer = nullptr;
  std::uint64_t mask = 0;
};

// What of a process is not in its memory, but known to the kernel. Lies on the stack that the image
// has, in the frame of leave_image().
struct ProcessState {
  jmp_buf here;
  std::uint64_t thread_pointer = 0;
  std::uint64_t signal_mask = 0;
  stack_t signal_stack = {};
  void* robust_list = nullptr;
  std::size_t robust_list_bytes = 0;
  std::array<char, kNameBytes> name = {};
  std::array<KernelAction, kSignals + 1> actions = {};  // by signal
};

void save(ProcessState& state) {
  ::syscall(SYS_arch_prctl, ARCH_GET_FS, &state.thread_pointer);
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &state.signal_mask, kSignalSetBytes);
  ::sigaltstack(nullptr, &state.signal_stack);
  ::syscall(SYS_get_robust_list, 0, &state.robust_list, &state.robust_list_bytes);
  ::prctl(PR_GET_NAME, state.name.data());
  for (int signal = 1; signal <= kSignals; ++signal) {
    auto& action = state.actions[static_cast<std::size_t>(signal)];
    ::syscall(SYS_rt_sigaction, signal, nullptr, &action, kSignalSetBytes);
  }
}

void restore(const ProcessState& state) {
  if (__rseq_size > 0) {
    char* area = reinterpret_cast<char*>(state.thread_pointer) + __rseq_offset;
    ::syscall(SYS_rseq, area, kRseqBytes, 0, RSEQ_SIG);
  }
  ::syscall(SYS_set_robust_list, state.robust_list, state.robust_list_bytes);
  for (int signal = 1; signal <= kSignals; ++signal) {
    const auto& action = state.actions[static_cast<std::size_t>(signal)];
    if (action.handler == nullptr) continue;  // SIG_DFL, as this process has it
    ::syscall(SYS_rt_sigaction, signal, &action, nullptr, kSignalSetBytes);
  }
  ::sigaltstack(&state.signal_stack, nullptr);
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &state.signal_mask, nullptr, kSignalSetBytes);
  ::prctl(PR_SET_NAME, state.name.data());
  // The kernel's heap of this process is elsewhere. The next sbrk(3) fails, upon which malloc goes
  // on in memory of its own and takes no heap for a continuation of the old one.
  __curbrk = reinterpret_cast<void*>(protocol::kImageAddressEnd);
}

// Where a process begins that has become the image. `rest`: what it has needed for that.
[[noreturn]] void resume(ProcessState* state, void* rest, std::size_t rest_bytes) {
  ::munmap(rest, rest_bytes);
  restore(*state);
  std::longjmp(state->here, 1);
}

}  // namespace

void leave_image(int image, int descriptor_last) {
  std::fflush(nullptr);
  ImageWriter writer{UniqueFd(image)};
  writer.check_process(descriptor_last);
  ProcessState state;
  save(state);
  if (setjmp(state.here) != 0) return;
  protocol::ImageHeader& header = writer.header();
  header.resume = reinterpret_cast<std::uint64_t>(&resume);
  header.context = reinterpret_cast<std::uint64_t>(&state);
  header.thread_pointer = state.thread_pointer;
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto lowest = std::min(frame, reinterpret_cast<std::uintptr_t>(&state));
  header.stack = ((lowest - kResumeStackBytes) & ~std::uintptr_t{15}) - 8;
  writer.write_and_exit();
}

}  // namespace subito::sdk
