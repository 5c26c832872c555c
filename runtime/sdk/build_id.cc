#include "runtime/sdk/build_id.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstdint>
#include <cstring>
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

}  // namespace

std::string build_id() {
  // The kernel says where it mapped the program headers; PT_PHDR says where they wanted to be.
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(::getauxval(AT_PHDR));
  const auto count = ::getauxval(AT_PHNUM);
  std::uintptr_t moved_by = 0;
  for (unsigned long i = 0; headers != nullptr && i < count; ++i) {
    if (headers[i].p_type == PT_PHDR) {
      moved_by = reinterpret_cast<std::uintptr_t>(headers) - headers[i].p_vaddr;
    }
    if (headers[i].p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const char*>(moved_by + headers[i].p_vaddr);
    auto id = find_in_notes({notes, headers[i].p_memsz});
    if (!id.empty()) return id;
  }
  return {};
}

}  // namespace subito::sdk
