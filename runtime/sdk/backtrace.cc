#include "runtime/sdk/backtrace.h"

#include <unistd.h>
#include <unwind.h>

#include <array>
#include <charconv>
#include <typeinfo>

#include "runtime/sdk/build_id.h"

namespace subito::sdk {
namespace {

struct Trace {
  std::span<std::uintptr_t> out;
  std::size_t count = 0;
};

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* argument) {
  auto& trace = *static_cast<Trace*>(argument);
  const std::uintptr_t address = _Unwind_GetIP(context);
  if (address == 0 || trace.count == trace.out.size()) return _URC_END_OF_STACK;
  trace.out[trace.count++] = address;
  return _URC_NO_REASON;
}

struct LastThrow {
  std::array<std::uintptr_t, kBacktraceFramesMax> frames;
  std::size_t count;
};

thread_local LastThrow last_throw;

}  // namespace

std::size_t capture_backtrace(std::span<std::uintptr_t> out) {
  Trace trace{out};
  _Unwind_Backtrace(add_frame, &trace);
  const std::uintptr_t moved_by = load_bias();
  for (std::uintptr_t& address : out.first(trace.count)) address -= moved_by;
  return trace.count;
}

std::vector<std::uintptr_t> throw_backtrace() {
  // The first two are our own: capture_backtrace and the wrapped __cxa_throw.
  constexpr std::size_t kOwn = 2;
  const auto frames = std::span(last_throw.frames).first(last_throw.count);
  if (frames.size() <= kOwn) return {};
  return {frames.begin() + kOwn, frames.end()};
}

std::string address_text(std::uintptr_t address) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text, address, 16).ptr;
  return "0x" + std::string(text, end);
}

std::string_view binary_path(std::span<char> out) {
  const ssize_t size = ::readlink("/proc/self/exe", out.data(), out.size());
  return size < 0 ? std::string_view("BINARY") : std::string_view(out.data(), size);
}

}  // namespace subito::sdk

extern "C" {
[[noreturn]] void __real___cxa_throw(void* exception, std::type_info* type,
                                     void (*destructor)(void*));
[[noreturn]] void __wrap___cxa_throw(void* exception, std::type_info* type,
                                     void (*destructor)(void*));

void __wrap___cxa_throw(void* exception, std::type_info* type, void (*destructor)(void*)) {
  auto& last = subito::sdk::last_throw;
  last.count = subito::sdk::capture_backtrace(last.frames);
  __real___cxa_throw(exception, type, destructor);
}
}
