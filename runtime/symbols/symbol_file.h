// SymbolFile: the functions and source lines of an ELF binary, for addresses as its linker gave
// them. Reads the symbol table and DWARF by elfutils' libdw, which stays behind this header.
//
// Belongs to whoever opened it; one thread at a time, and not a loop's: it maps the file, and a
// look-up may read megabytes of it. Nothing but that file is read: no separate debug files, no
// debuginfod. A file that is broken gives fewer answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace subito::symbols {

inline constexpr std::uint64_t kSymbolFileBytesMax = 512ULL << 20;
// What its compressed sections may grow to, all together.
inline constexpr std::uint64_t kUncompressedBytesMax = 512ULL << 20;
// A longer name of a function or a file is cut; names of templates grow without bound.
inline constexpr std::size_t kNameBytesMax = 160;
// A longer mangled name, or one that may grow longer than that, is shown as it is.
inline constexpr std::size_t kMangledBytesMax = 512;
inline constexpr std::uint64_t kDemangledBytesMax = 1 << 20;

// Of more lines of one address the innermost are kept and the outermost, the function's own.
inline constexpr std::size_t kLinesMax = 8;

struct SourceLine {
  std::string file;  // its name alone
  int line = 0;
};

struct Place {
  std::string function;      // demangled
  std::uint64_t offset = 0;  // of the address, from the function's beginning
  // Innermost first, each inlined into the next; empty: no debug information.
  std::vector<SourceLine> lines;
  std::size_t lines_left_out = 0;  // before the last
};

// "shop::Cart::add(int) + 0x1f (vector.h:90, inlined into cart.h:31, into cart.cc:12)"
std::string words(const Place& place);

class SymbolFile {
 public:
  // kResourceExhausted for one that is too large, kInvalidArgument for what is no ELF file or is
  // compressed in the way of old, which does not say how large it becomes.
  static Result<SymbolFile> open(const std::string& path);
  SymbolFile(SymbolFile&&) noexcept;
  SymbolFile& operator=(SymbolFile&&) noexcept;
  ~SymbolFile();

  const std::string& build_id() const { return build_id_; }  // lower-case hex; empty: none
  bool stripped() const { return stripped_; }                // there is no symbol table

  // `returns`: a return address. It is one behind the call, which may be a line or a function's end
  // too far; the offset stays that of the address. Empty: in no function that is known.
  std::optional<Place> find(std::uint64_t address, bool returns) const;

 private:
  struct Session;
  explicit SymbolFile(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
  std::string build_id_;
  bool stripped_ = true;
};

}  // namespace subito::symbols
