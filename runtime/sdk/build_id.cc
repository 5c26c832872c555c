#include "runtime/sdk/build_id.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace subito::sdk {
namespace {

std::string to_hex(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// Notes are records of header, name and description, each padded to 4 bytes: elf(5).
std::string find_in_notes(std::string_view notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof note);
    const std::size_t name = sizeof note;
    const std::size_t description = name + (note.n_namesz + 3) / 4 * 4;
    const std::size_t end = description + (note.n_descsz + 3) / 4 * 4;
    if (end > notes.size()) return {};
    if (note.n_type == NT_GNU_BUILD_ID && notes.substr(name, 4) == std::string_view("GNU", 4)) {
      return to_hex(notes.substr(description, note.n_descsz));
    }
    notes.remove_prefix(end);
  }
  return {};
}

// The kernel says where it mapped them.
std::span<const ElfW(Phdr)> program_headers() {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(::getauxval(AT_PHDR));
  return {headers, headers == nullptr ? 0 : ::getauxval(AT_PHNUM)};
}

}  // namespace

std::uintptr_t load_bias() {
  const auto headers = program_headers();
  for (const auto& header : headers) {
    // Where the program headers wanted to be.
    if (header.p_type != PT_PHDR) continue;
    return reinterpret_cast<std::uintptr_t>(headers.data()) - header.p_vaddr;
  }
  return 0;
}

std::string build_id() {
  const std::uintptr_t moved_by = load_bias();
  for (const auto& header : program_headers()) {
    if (header.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const char*>(moved_by + header.p_vaddr);
    auto id = find_in_notes({notes, header.p_memsz});
    if (!id.empty()) return id;
  }
  return {};
}

}  // namespace subito::sdk
