#include "runtime/symbols/elf_image.h"

#include <dwarf.h>
#include <elf.h>

#include <cstring>
#include <vector>

namespace subito::symbols {
namespace {

// Little endian, as x86-64 is.
template <typename Value>
std::string bytes_of(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string u8(int value) {
  return std::string(1, static_cast<char>(value));
}
std::string u16(int value) {
  return bytes_of(static_cast<std::uint16_t>(value));
}
std::string u32(std::size_t value) {
  return bytes_of(static_cast<std::uint32_t>(value));
}
std::string u64(std::uint64_t value) {
  return bytes_of(value);
}
std::string text(const std::string& value) {
  return value + u8(0);
}

// A part of DWARF stands behind its length.
std::string with_length(const std::string& part) {
  return u32(part.size()) + part;
}

constexpr int kUnitCode = 1, kFunctionCode = 2;  // of the abbreviations

std::string abbreviations() {
  const std::string place = u8(DW_AT_name) + u8(DW_FORM_string) + u8(DW_AT_low_pc) +
                            u8(DW_FORM_addr) + u8(DW_AT_high_pc) + u8(DW_FORM_data8);
  return u8(kUnitCode) + u8(DW_TAG_compile_unit) + u8(DW_CHILDREN_yes) + place +
         u8(DW_AT_stmt_list) + u8(DW_FORM_sec_offset) + u16(0) +  //
         u8(kFunctionCode) + u8(DW_TAG_subprogram) + u8(DW_CHILDREN_no) + place + u16(0) + u8(0);
}

std::string function(const std::string& name, std::uint64_t begin, std::uint64_t end) {
  return u8(kFunctionCode) + text(name) + u64(begin) + u64(end - begin);
}

std::string units() {
  return with_length(u16(4) + u32(0) + u8(8) +  // version, abbreviations, bytes of an address
                     u8(kUnitCode) + text("image.cc") + u64(kImageInner) +
                     u64(kImageEnd - kImageInner) + u32(0) +
                     function("inner", kImageInner, kImageOuter) +
                     function("outer", kImageOuter, kImageEnd) + u8(0));
}

std::string row(int line_delta, int advance) {
  return u8(DW_LNS_advance_line) + u8(line_delta) + u8(DW_LNS_copy) + u8(DW_LNS_advance_pc) +
         u8(advance);
}

std::string lines() {
  constexpr int kOpcodeBase = 13;  // the standard ones take so many operands:
  std::string operands;
  for (const int count : {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1}) operands += u8(count);
  const std::string head = u8(1) + u8(1) + u8(1) + u8(-5) + u8(14) + u8(kOpcodeBase) + operands +
                           u8(0) + text("image.cc") + u8(0) + u8(0) + u8(0) + u8(0);
  const std::string program = u8(0) + u8(9) + u8(DW_LNE_set_address) + u64(kImageInner) +
                              row(11, 0x20) + row(1, 0x20) + row(7, 0x40) + u8(0) + u8(1) +
                              u8(DW_LNE_end_sequence);
  return with_length(u16(4) + with_length(head) + program);
}

std::string ranges() {
  const std::string head = u16(2) + u32(0) + u8(8) + u8(0) + u32(0);  // up to a multiple of 16
  return with_length(head + u64(kImageInner) + u64(kImageEnd - kImageInner) + u64(0) + u64(0));
}

std::string symbol(std::size_t name, std::uint64_t begin, std::uint64_t end) {
  Elf64_Sym out{};
  out.st_name = static_cast<Elf64_Word>(name);
  out.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  out.st_shndx = 1;  // .text
  out.st_value = begin;
  out.st_size = end - begin;
  return bytes_of(out);
}

// The file as it grows: contents first, the table of sections last.
class Image {
 public:
  Image() : bytes_(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), '\0') { headers_.emplace_back(); }

  Elf64_Shdr& add(const std::string& name, Elf64_Word type, const std::string& contents) {
    Elf64_Shdr header{};
    header.sh_name = name_of(name);
    header.sh_type = type;
    header.sh_offset = bytes_.size();
    header.sh_size = contents.size();
    header.sh_addralign = 1;
    bytes_ += contents;
    return headers_.emplace_back(header);
  }

  std::string finished() {
    const Elf64_Word name = name_of(".shstrtab");
    add("", SHT_STRTAB, names_).sh_name = name;
    Elf64_Ehdr file{};
    std::memcpy(file.e_ident, ELFMAG, SELFMAG);
    file.e_ident[EI_CLASS] = ELFCLASS64;
    file.e_ident[EI_DATA] = ELFDATA2LSB;
    file.e_ident[EI_VERSION] = EV_CURRENT;
    file.e_type = ET_EXEC;
    file.e_machine = EM_X86_64;
    file.e_version = EV_CURRENT;
    file.e_entry = kImageInner;
    file.e_phoff = sizeof file;
    file.e_shoff = bytes_.size();
    file.e_ehsize = sizeof file;
    file.e_phentsize = sizeof(Elf64_Phdr);
    file.e_phnum = 1;
    file.e_shentsize = sizeof(Elf64_Shdr);
    file.e_shnum = static_cast<Elf64_Half>(headers_.size());
    file.e_shstrndx = static_cast<Elf64_Half>(headers_.size() - 1);
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_flags = PF_R | PF_X;
    load.p_vaddr = load.p_paddr = kImageInner;
    load.p_offset = headers_[1].sh_offset;
    load.p_filesz = load.p_memsz = kImageEnd - kImageInner;
    load.p_align = 1;
    bytes_.replace(0, sizeof file + sizeof load, bytes_of(file) + bytes_of(load));
    for (const Elf64_Shdr& header : headers_) bytes_ += bytes_of(header);
    return bytes_;
  }

 private:
  Elf64_Word name_of(const std::string& name) {
    const std::size_t at = names_.size();
    names_ += text(name);
    return static_cast<Elf64_Word>(at);
  }

  std::string bytes_, names_ = text("");
  std::vector<Elf64_Shdr> headers_;
};

}  // namespace

std::string elf_image() {
  Image image;
  Elf64_Shdr& code = image.add(".text", SHT_PROGBITS, std::string(kImageEnd - kImageInner, '\xcc'));
  code.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  code.sh_addr = kImageInner;
  const std::string inner = "_Z5inneri", outer = "_Z5outeri";
  Elf64_Shdr& symbols =
      image.add(".symtab", SHT_SYMTAB,
                std::string(sizeof(Elf64_Sym), '\0') + symbol(1, kImageInner, kImageOuter) +
                    symbol(1 + inner.size() + 1, kImageOuter, kImageEnd));
  symbols.sh_entsize = sizeof(Elf64_Sym);
  symbols.sh_link = 3;  // .strtab
  symbols.sh_info = 1;  // the first that is global
  image.add(".strtab", SHT_STRTAB, text("") + text(inner) + text(outer));
  image.add(".debug_abbrev", SHT_PROGBITS, abbreviations());
  image.add(".debug_info", SHT_PROGBITS, units());
  image.add(".debug_line", SHT_PROGBITS, lines());
  image.add(".debug_aranges", SHT_PROGBITS, ranges());
  return image.finished();
}

}  // namespace subito::symbols
