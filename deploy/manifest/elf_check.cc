#include "deploy/manifest/elf_check.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>

#include "runtime/base/unique_fd.h"
#include "runtime/protocol/elf_note.h"

namespace subito::manifest {

namespace {

constexpr std::size_t kSegmentsMax = 128;    // real binaries have about 10
constexpr std::size_t kDynamicMax = 4096;    // entries of the dynamic section looked at
constexpr std::size_t kNotesMax = 256;       // notes looked at
constexpr std::size_t kLibraryNameMax = 80;  // of what is shown
constexpr char kSee[] = ", see docs/functions.md";

tl::unexpected<Error> refuse(std::string reason) {
  return fail(ErrorCode::kInvalidArgument, std::move(reason) + kSee);
}

// Reads structures out of the file; what does not lie in it wholly is not there.
class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  template <typename T>
  std::optional<T> at(std::uint64_t offset) const {
    if (offset > file_.size() || file_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, file_.data() + offset, sizeof value);
    return value;
  }
  std::string_view part(std::uint64_t offset, std::uint64_t size) const {
    if (offset > file_.size()) return {};
    return file_.substr(offset, size);
  }

 private:
  std::string_view file_;
};

// The first bytes: what kind of file is it at all?
std::optional<std::string> wrong_kind(std::string_view file) {
  if (file.empty()) return "is empty";
  if (file.substr(0, 2) == "#!")
    return "is a script: a function is a static x86-64 binary, a pod has no interpreter";
  if (file.size() < EI_NIDENT || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
    return "is not an ELF binary: build it for Linux on x86-64";
  if (file[EI_CLASS] != ELFCLASS64) return "is a 32 bit binary: build it with -m64";
  if (file[EI_DATA] != ELFDATA2LSB) return "is a big-endian binary: build it for x86-64";
  return std::nullopt;
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_AARCH64:
      return "arm64";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "RISC-V";
    case EM_386:
      return "i386";
    default:
      return "machine " + std::to_string(machine);
  }
}

class Check {
 public:
  explicit Check(std::string_view file) : reader_(file) {}

  Result<ElfFacts> run() {
    const auto header = reader_.at<Elf64_Ehdr>(0);
    if (!header) return refuse("is cut off inside its ELF header: build or copy it again");
    if (header->e_machine != EM_X86_64)
      return refuse("is built for " + machine_name(header->e_machine) + ": build it for x86-64");
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
      return refuse("is not an executable but an object or core file: link it");
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
        header->e_phnum > kSegmentsMax)
      return refuse("has no usable program headers: build it again");
    RETURN_IF_ERROR(segments(*header));
    if (interpreted_ || !library_.empty()) return refuse(dynamic_words());
    if (!version_)
      return refuse(
          "does not speak the pod protocol (it has no Subito note): link it with the SDK and call "
          "subito::serve()");
    if (*version_ < kProtocolVersionMin || *version_ > kProtocolVersionMax)
      return refuse("speaks version " + std::to_string(*version_) +
                    " of the pod protocol, this node speaks " +
                    std::to_string(kProtocolVersionMax) + ": build it with the node's SDK");
    return ElfFacts{*version_};
  }

 private:
  Status segments(const Elf64_Ehdr& header) {
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
      std::uint64_t offset = 0;
      if (__builtin_add_overflow(header.e_phoff, i * sizeof(Elf64_Phdr), &offset))
        return refuse("has no usable program headers: build it again");
      const auto segment = reader_.at<Elf64_Phdr>(offset);
      if (!segment) return refuse("is cut off inside its program headers: build or copy it again");
      switch (segment->p_type) {
        case PT_LOAD:
          if (reader_.part(segment->p_offset, segment->p_filesz).size() != segment->p_filesz)
            return refuse("is cut off: a segment reaches beyond its end, build or copy it again");
          break;
        case PT_INTERP:
          interpreted_ = true;
          break;
        case PT_DYNAMIC:
          dynamic(header, *segment);
          break;
        case PT_NOTE:
          notes(reader_.part(segment->p_offset, segment->p_filesz));
          break;
        default:
          break;
      }
    }
    return ok();
  }

  // The first library it needs, by its name in the string table.
  void dynamic(const Elf64_Ehdr& header, const Elf64_Phdr& segment) {
    std::optional<std::uint64_t> name;
    std::uint64_t strings = 0;
    for (std::size_t i = 0; i < kDynamicMax && i < segment.p_filesz / sizeof(Elf64_Dyn); ++i) {
      std::uint64_t offset = 0;
      if (__builtin_add_overflow(segment.p_offset, i * sizeof(Elf64_Dyn), &offset)) break;
      const auto entry = reader_.at<Elf64_Dyn>(offset);
      if (!entry || entry->d_tag == DT_NULL) break;
      if (entry->d_tag == DT_NEEDED && !name) name = entry->d_un.d_val;
      if (entry->d_tag == DT_STRTAB) strings = entry->d_un.d_ptr;
    }
    if (!name) return;
    library_ = text_at(offset_of_address(header, strings), *name);
    if (library_.empty()) library_ = "a shared library";
  }

  // Where in the file the byte lies that is loaded to `address`.
  std::uint64_t offset_of_address(const Elf64_Ehdr& header, std::uint64_t address) const {
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
      const auto segment = reader_.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
      if (!segment || segment->p_type != PT_LOAD || address < segment->p_vaddr) continue;
      if (address - segment->p_vaddr < segment->p_filesz)
        return segment->p_offset + (address - segment->p_vaddr);
    }
    return UINT64_MAX;
  }

  std::string text_at(std::uint64_t table, std::uint64_t index) const {
    std::uint64_t offset = 0;
    if (__builtin_add_overflow(table, index, &offset)) return "";
    const std::string_view text = reader_.part(offset, kLibraryNameMax);
    const std::string name(text.substr(0, text.find('\0')));
    for (const char c : name) {
      if (c <= ' ' || c > '~') return "";  // it is shown on a terminal
    }
    return name;
  }

  // Notes follow each other: sizes of name and description, type, then both padded to 4 bytes.
  void notes(std::string_view bytes) {
    for (std::size_t i = 0; i < kNotesMax; ++i) {
      Elf64_Nhdr note;
      if (bytes.size() < sizeof note) return;
      std::memcpy(&note, bytes.data(), sizeof note);
      bytes.remove_prefix(sizeof note);
      const std::uint64_t name_size = (std::uint64_t{note.n_namesz} + 3) & ~std::uint64_t{3};
      const std::uint64_t text_size = (std::uint64_t{note.n_descsz} + 3) & ~std::uint64_t{3};
      if (bytes.size() < name_size + text_size) return;
      const std::string_view owner = bytes.substr(0, note.n_namesz);
      constexpr std::string_view kOwner{SUBITO_ELF_NOTE_OWNER, sizeof SUBITO_ELF_NOTE_OWNER};
      if (owner == kOwner && note.n_type == SUBITO_ELF_NOTE_TYPE &&
          note.n_descsz == sizeof(std::uint32_t)) {
        version_.emplace();
        std::memcpy(&*version_, bytes.data() + name_size, sizeof *version_);
      }
      bytes.remove_prefix(name_size + text_size);
    }
  }

  std::string dynamic_words() const {
    return "is linked dynamically (needs " +
           (library_.empty() ? std::string("an interpreter") : library_) + "): link with -static";
  }

  Reader reader_;
  bool interpreted_ = false;
  std::string library_;
  std::optional<std::uint32_t> version_;
};

}  // namespace

Result<ElfFacts> check_elf(std::string_view file) {
  if (auto wrong = wrong_kind(file)) return refuse(std::move(*wrong));
  return Check(file).run();
}

Result<ElfFacts> check_elf_file(const std::string& path, const std::string& name) {
  const std::string doing = "check " + name;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error(doing);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error(doing);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kInvalidArgument, doing + ": not a file");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return std::move(check_elf("")).error().annotate(doing);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (memory == MAP_FAILED) return errno_error(doing);
  auto facts = check_elf({static_cast<const char*>(memory), size});
  ::munmap(memory, size);
  if (!facts) return std::move(facts).error().annotate(doing);
  return facts;
}

}  // namespace subito::manifest
