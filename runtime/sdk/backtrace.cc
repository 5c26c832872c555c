#include "runtime/sdk/backtrace.h"

#include <unwind.h>

#include <array>
#include <charconv>
#include <typeinfo>

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
  return trace.count;
}

std::vector<std::string> throw_backtrace() {
  std::vector<std::string> out;
  // The first two are our own: capture_backtrace and the wrapped __cxa_throw.
  for (std::size_t i = 2; i < last_throw.count; ++i) {
    char text[16];
    const auto end = std::to_chars(text, text + sizeof text, last_throw.frames[i], 16).ptr;
    out.push_back("0x" + std::string(text, end));
  }
  return out;
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
