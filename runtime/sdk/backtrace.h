// Where an exception was thrown, and where a crash happened. glibc's backtrace(3) loads a shared
// library and is of no use in a static binary: this walks the stack by libgcc's unwinder.
//
// __cxa_throw is wrapped by the linker (--wrap, see CMakeLists.txt): the stack is read before it
// unwinds. Per thread; the last throw wins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace subito::sdk {

constexpr std::size_t kBacktraceFramesMax = 32;

// The return addresses of the callers, innermost first, as the linker gave them: load_bias() is
// subtracted. Async-signal-safe as long as nothing is
// allocated on the way, which holds for binaries with an .eh_frame_hdr.
std::size_t capture_backtrace(std::span<std::uintptr_t> out);

// Of the last throw on this thread.
std::vector<std::uintptr_t> throw_backtrace();

std::string address_text(std::uintptr_t address);  // "0x401234"

// What to type to learn where addresses are: this, binary_path() and the addresses, return
// addresses less one, so that they are within the call.
inline constexpr std::string_view kWhere = "; where: addr2line -Cfipe ";
inline constexpr std::size_t kBinaryPathBytesMax = 512;

// The running binary's own file, within `out`; cut if it is longer. Async-signal-safe.
std::string_view binary_path(std::span<char> out);

}  // namespace subito::sdk
