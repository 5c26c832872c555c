// For tests: a small ELF binary with symbols and DWARF 4, byte for byte the same on every machine.
// It holds no code: nobody runs it.
#pragma once

#include <cstdint>
#include <string>

namespace subito::symbols {

inline constexpr std::uint64_t kImageInner = 0x401000;  // inner(int), image.cc:12 and 13
inline constexpr std::uint64_t kImageOuter = 0x401040;  // outer(int), image.cc:20
inline constexpr std::uint64_t kImageEnd = 0x401080;

std::string elf_image();

}  // namespace subito::symbols
