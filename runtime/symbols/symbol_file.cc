#include "runtime/symbols/symbol_file.h"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/hex.h"
#include "runtime/base/unique_fd.h"

namespace subito::symbols {
namespace {

int find_no_debug_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                       GElf_Word, char**) {
  return -1;
}

const Dwfl_Callbacks kCallbacks = {nullptr, find_no_debug_file, dwfl_offline_section_address,
                                   nullptr};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

std::string cut(std::string_view name) {
  if (name.size() <= kNameBytesMax) return std::string(name);
  return std::string(name.substr(0, kNameBytesMax - 3)) + "...";
}

// An estimate of what a mangled name grows to, not a proof: a reference ("S_", "S1A_", "T0_")
// stands for a part of it, at most for all before the first that is the same. Each of fifty nested
// pairs of the pair before, in 500 bytes, doubles it. So does a parameter that is a template
// ("T_I"), which the demangler may try twice.
std::uint64_t demangled_bytes(std::string_view mangled) {
  std::map<std::string_view, std::uint64_t> references;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < mangled.size() && bytes <= kDemangledBytesMax; ++i) {
    ++bytes;
    if (mangled[i] != 'S' && mangled[i] != 'T') continue;
    const std::size_t end =
        mangled.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", i + 1);
    if (end == std::string_view::npos || mangled[end] != '_') continue;
    bytes += references.try_emplace(mangled.substr(i, end - i), bytes).first->second;
    if (mangled[i] == 'T' && mangled.substr(end + 1, 1) == "I") bytes *= 2;
  }
  return bytes;
}

std::string demangled(const char* name) {
  const std::string_view mangled(name);
  if (mangled.substr(0, 2) == "_Z" && mangled.size() <= kMangledBytesMax &&
      demangled_bytes(mangled) <= kDemangledBytesMax) {
    int status = 0;
    const std::unique_ptr<char, Free> readable(
        abi::__cxa_demangle(name, nullptr, nullptr, &status));
    if (status == 0) return cut(readable.get());
  }
  return cut(mangled);
}

std::string file_name(const char* path) {
  if (path == nullptr) return {};
  const std::string_view whole(path);
  return cut(whole.substr(whole.rfind('/') + 1));
}

struct Sections {
  bool symbols = false;
  bool old_compressed = false;  // ".zdebug_*": libdw believes what they say of their size
  std::uint64_t uncompressed_bytes = 0;
};

Sections sections_of(Elf* elf) {
  Sections found;
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) names = 0;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type == SHT_SYMTAB) found.symbols = true;
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (name != nullptr && std::string_view(name).substr(0, 8) == ".zdebug_") {
      found.old_compressed = true;
    }
    GElf_Chdr compressed;
    if ((header.sh_flags & SHF_COMPRESSED) == 0) continue;
    if (gelf_getchdr(section, &compressed) == nullptr) continue;
    const std::uint64_t room = kUncompressedBytesMax + 1 - found.uncompressed_bytes;
    found.uncompressed_bytes += std::min<std::uint64_t>(compressed.ch_size, room);
    if (found.uncompressed_bytes > kUncompressedBytesMax) break;
  }
  return found;
}

// The unit that holds an address. clang writes no .debug_aranges: then all are asked.
Dwarf_Die* unit_of(Dwfl_Module* module, std::uint64_t address, Dwarf_Addr& bias) {
  Dwarf_Die* unit = dwfl_module_addrdie(module, address, &bias);
  if (unit != nullptr) return unit;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
    if (dwarf_haspc(unit, address - bias) == 1) return unit;
  }
  return nullptr;
}

Dwarf_Word number(Dwarf_Die* die, unsigned attribute_name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(die, attribute_name, &attribute) != nullptr) dwarf_formudata(&attribute, &value);
  return value;
}

// Where an inlined function is called, in the one that it is inlined into.
void add_call(Dwarf_Die* unit, Dwarf_Die* inlined, Place& place) {
  Dwarf_Files* files = nullptr;
  std::size_t files_count = 0;
  const Dwarf_Word at = number(inlined, DW_AT_call_file);
  if (dwarf_getsrcfiles(unit, &files, &files_count) != 0 || at >= files_count) return;
  SourceLine call{file_name(dwarf_filesrc(files, at, nullptr, nullptr)),
                  static_cast<int>(number(inlined, DW_AT_call_line))};
  if (call.line <= 0 || call.file.empty()) return;
  if (place.lines.size() == kLinesMax) {
    place.lines.pop_back();
    ++place.lines_left_out;
  }
  place.lines.push_back(std::move(call));
}

// Deeper than any compiler inlines; a binary may be made to hurt.
constexpr int kScopesMax = 256;

// What is inlined around the address, the outermost first. dwarf_getscopes would tell, but finds
// nothing in what clang writes (addresses by index), and leaves out all but the innermost.
void find_inlined(Dwarf_Die* scope, std::uint64_t address, std::vector<Dwarf_Die>& inlined,
                  int depth) {
  Dwarf_Die inside;
  if (depth > kScopesMax || dwarf_child(scope, &inside) != 0) return;
  do {
    const int tag = dwarf_tag(&inside);
    if (tag == DW_TAG_namespace) {
      find_inlined(&inside, address, inlined, depth + 1);
      continue;
    }
    const bool is_inlined = tag == DW_TAG_inlined_subroutine;
    if (!is_inlined && tag != DW_TAG_subprogram && tag != DW_TAG_lexical_block) continue;
    if (dwarf_haspc(&inside, address) != 1) continue;
    if (is_inlined) inlined.push_back(inside);
    return find_inlined(&inside, address, inlined, depth + 1);
  } while (dwarf_siblingof(&inside, &inside) == 0);
}

// All calls of what is inlined there, innermost first.
void add_calls(Dwarf_Die* unit, std::uint64_t address, Place& place) {
  std::vector<Dwarf_Die> inlined;
  find_inlined(unit, address, inlined, 0);
  for (auto it = inlined.rbegin(); it != inlined.rend(); ++it) add_call(unit, &*it, place);
}

void find_lines(Dwfl_Module* module, std::uint64_t address, Place& place) {
  Dwarf_Addr bias = 0;
  Dwarf_Die* unit = unit_of(module, address, bias);
  if (unit == nullptr) return;
  Dwarf_Line* line = dwarf_getsrc_die(unit, address - bias);
  int number = 0;
  if (line == nullptr || dwarf_lineno(line, &number) != 0 || number <= 0) return;
  place.lines.push_back({file_name(dwarf_linesrc(line, nullptr, nullptr)), number});
  add_calls(unit, address - bias, place);
}

}  // namespace

struct SymbolFile::Session {
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (dwfl != nullptr) dwfl_end(dwfl);
  }

  Dwfl* dwfl = nullptr;
  Dwfl_Module* module = nullptr;
};

std::string words(const Place& place) {
  char offset[24];
  std::snprintf(offset, sizeof offset, " + 0x%llx", static_cast<unsigned long long>(place.offset));
  std::string text = place.function + offset;
  if (place.lines.empty()) return text;
  for (std::size_t i = 0; i < place.lines.size(); ++i) {
    const bool last = i + 1 == place.lines.size();
    if (last && place.lines_left_out > 0) {
      text += ", into " + std::to_string(place.lines_left_out) + " more";
    }
    text += i == 0 ? " (" : i == 1 ? ", inlined into " : ", into ";
    text += place.lines[i].file + ":" + std::to_string(place.lines[i].line);
  }
  return text + ")";
}

SymbolFile::SymbolFile(std::unique_ptr<Session> session) : session_(std::move(session)) {}
SymbolFile::SymbolFile(SymbolFile&&) noexcept = default;
SymbolFile& SymbolFile::operator=(SymbolFile&&) noexcept = default;
SymbolFile::~SymbolFile() = default;

Result<SymbolFile> SymbolFile::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return errno_error("read symbols of " + path);
  if (static_cast<std::uint64_t>(info.st_size) > kSymbolFileBytesMax) {
    return fail(ErrorCode::kResourceExhausted, "read symbols of " + path + ": larger than " +
                                                   std::to_string(kSymbolFileBytesMax >> 20) +
                                                   " MiB");
  }
  auto session = std::make_unique<Session>();
  session->dwfl = dwfl_begin(&kCallbacks);
  if (session->dwfl == nullptr) {
    return fail(ErrorCode::kInternal, "read symbols of " + path + ": " + dwfl_errmsg(-1));
  }
  dwfl_report_begin(session->dwfl);
  session->module = dwfl_report_elf(session->dwfl, "function", path.c_str(), fd.get(), 0, true);
  // The library's from now on, unless it failed.
  if (session->module != nullptr) static_cast<void>(fd.release());
  dwfl_report_end(session->dwfl, nullptr, nullptr);
  Dwarf_Addr bias = 0;
  Elf* elf = session->module == nullptr ? nullptr : dwfl_module_getelf(session->module, &bias);
  if (elf == nullptr) {
    return fail(ErrorCode::kInvalidArgument, "read symbols of " + path + ": " + dwfl_errmsg(-1));
  }
  const Sections sections = sections_of(elf);
  if (sections.uncompressed_bytes > kUncompressedBytesMax) {
    return fail(ErrorCode::kResourceExhausted,
                "read symbols of " + path + ": uncompressed larger than " +
                    std::to_string(kUncompressedBytesMax >> 20) + " MiB");
  }
  if (sections.old_compressed) {
    return fail(ErrorCode::kInvalidArgument,
                "read symbols of " + path +
                    ": old compressed debug sections (.zdebug); link it with -gz=zlib or -gz=none");
  }
  SymbolFile file(std::move(session));
  file.stripped_ = !sections.symbols;
  const void* id = nullptr;
  if (const ssize_t size = dwelf_elf_gnu_build_id(elf, &id); size > 0) {
    file.build_id_ = hex(static_cast<const unsigned char*>(id), static_cast<std::size_t>(size));
  }
  return file;
}

std::optional<Place> SymbolFile::find(std::uint64_t address, bool returns) const {
  if (stripped_ || address == 0) return std::nullopt;
  const std::uint64_t within = returns ? address - 1 : address;
  GElf_Off offset = 0;
  GElf_Sym symbol;
  const char* name =
      dwfl_module_addrinfo(session_->module, within, &offset, &symbol, nullptr, nullptr, nullptr);
  if (name == nullptr) return std::nullopt;
  Place place;
  place.function = demangled(name);
  place.offset = offset + (address - within);
  find_lines(session_->module, within, place);
  return place;
}

}  // namespace subito::symbols
