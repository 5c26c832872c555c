// ElfCheck: is this file a binary that a pod can run? Refuses at deploy what would fail later in a
// way that nobody understands, with the reason and the remedy.
//
// Pure but for check_elf_file(), which reads the file. Nothing in the file is believed: every
// offset and length is checked against its size first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::manifest {

inline constexpr std::uint32_t kProtocolVersionMin = 1;
inline constexpr std::uint32_t kProtocolVersionMax = 1;

struct ElfFacts {
  std::uint32_t protocol_version = 0;  // of its Subito note
};

// kInvalidArgument for anything but a static x86-64 executable that bears a Subito note, with a
// message that follows the name of the file: "is linked dynamically (needs libc.so.6): link with
// -static, see docs/functions.md".
Result<ElfFacts> check_elf(std::string_view file);
// The same of a file, "check NAME: " in front. Maps it, so that a large one costs no memory.
Result<ElfFacts> check_elf_file(const std::string& path, const std::string& name);

}  // namespace subito::manifest
