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

#include "runtime/base/result.h"

namespace subito::symbols {

inline constexpr std::uint64_t kSymbolFileBytesMax = 512ULL << 20;
// What its compressed sections may grow to, all together.
inline constexpr std::uint64_t kUncompressedBytesMax = 512ULL << 20;
// A longer name of a function is cut; names of templates grow without bound.
inline constexpr std::size_t kFunctionBytesMax = 160;

struct Place {
  std::string function;      // demangled
  std::uint64_t offset = 0;  // of the address, from the function's beginning
  std::string file;          // its name alone; empty: no debug information
  int line = 0;
  // Where the code of this line was inlined from, if it was.
  std::string inlined_file;
  int inlined_line = 0;
};

// "shop::Cart::add(int) + 0x1f (cart.cc:12, inlined from vector.h:90)"
std::string words(const Place& place);

class SymbolFile {
 public:
  // kResourceExhausted for one that is too large, kInvalidArgument for what is no ELF file.
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
