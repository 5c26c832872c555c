#include "runtime/base/secret_memory.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/base/check.h"

namespace subito {
namespace {

Status write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("fill sealed file");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ok();
}

}  // namespace

void LockedBytes::Free::operator()(char* bytes) const {
  ::sodium_free(bytes);  // wipes it
}

// sodium_malloc locks, and asks for MADV_DONTDUMP.
LockedBytes::LockedBytes(std::size_t size) : size_(size) {
  CHECK(::sodium_init() >= 0);
  bytes_.reset(static_cast<char*>(::sodium_malloc(size)));
  CHECK(bytes_ != nullptr);
  ::sodium_memzero(bytes_.get(), size);
}

LockedBytes LockedBytes::copy_of(std::string_view bytes) {
  LockedBytes copy(bytes.size());
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

void LockedBytes::shrink(std::size_t size) {
  CHECK(size <= size_);
  size_ = size;
}

Result<SealedFile> SealedFile::make(const char* name, std::string_view bytes) {
  SealedFile file;
  file.fd_.reset(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.fd_.valid()) return errno_error("make sealed file");
  RETURN_IF_ERROR(write_whole(file.fd_.get(), bytes));
  const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (::fcntl(file.fd_.get(), F_ADD_SEALS, seals) != 0) return errno_error("seal file");
  file.size_ = bytes.size();
  if (bytes.empty()) return file;
  // A private mapping that is only read has the pages of the file itself.
  void* pages = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, file.fd_.get(), 0);
  if (pages == MAP_FAILED) return errno_error("map sealed file");
  file.pages_ = pages;
  ::madvise(pages, file.size_, MADV_DONTDUMP);
  // Without the right to lock it stays unlocked: that is no reason to serve nobody.
  static_cast<void>(::mlock(pages, file.size_));
  return file;
}

SealedFile::SealedFile(SealedFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      pages_(std::exchange(other.pages_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SealedFile& SealedFile::operator=(SealedFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(pages_, other.pages_);
  std::swap(size_, other.size_);
  return *this;
}

SealedFile::~SealedFile() {
  if (pages_ != nullptr) ::munmap(pages_, size_);
}

Result<UniqueFd> SealedFile::open_again() const {
  const std::string path = "/proc/self/fd/" + std::to_string(fd_.get());
  UniqueFd again(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!again.valid()) return errno_error("open sealed file");
  return again;
}

void wipe(std::string& text) {
  wipe(text.data(), text.size());
}

void wipe_values(std::vector<std::pair<std::string, std::string>>& fields, std::string_view name) {
  for (auto& [field, value] : fields) {
    if (field == name) wipe(value);
  }
}

void wipe(char* bytes, std::size_t size) {
  ::sodium_memzero(bytes, size);
}

}  // namespace subito
