#include "runtime/sandbox/granted_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/base/unique_fd.h"

namespace subito::sandbox {
namespace {

constexpr std::size_t kNumberBytes = sizeof(std::uint32_t);
constexpr std::size_t kGrantedPathBytesMax = 512;

char* put_number(char* out, std::size_t number) {
  const auto value = static_cast<std::uint32_t>(number);
  std::memcpy(out, &value, kNumberBytes);
  return out + kNumberBytes;
}

char* put_bytes(char* out, const char* bytes, std::size_t size) {
  if (size > 0) std::memcpy(out, bytes, size);
  return out + size;
}

// What is left of the pack; each take fails when there is less.
struct Rest {
  const char* at;
  std::size_t bytes;

  const char* take(std::size_t size) {
    if (size > bytes) return nullptr;
    const char* taken = at;
    at += size;
    bytes -= size;
    return taken;
  }
  bool take_number(std::uint32_t& number) {
    const char* taken = take(kNumberBytes);
    if (taken != nullptr) std::memcpy(&number, taken, kNumberBytes);
    return taken != nullptr;
  }
};

int make_folders(const char* path) {
  char folder[kGrantedPathBytesMax];
  for (const char* slash = std::strchr(path + 1, '/'); slash != nullptr;
       slash = std::strchr(slash + 1, '/')) {
    const auto size = static_cast<std::size_t>(slash - path);
    std::memcpy(folder, path, size);
    folder[size] = '\0';
    if (::mkdir(folder, 0700) != 0 && errno != EEXIST) return errno;
  }
  return 0;
}

int write_file(const char* path, const char* bytes, std::size_t size) {
  if (const int error = make_folders(path); error != 0) return error;
  const UniqueFd file(::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!file.valid()) return errno;
  while (size > 0) {
    const ssize_t count = ::write(file.get(), bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return 0;
}

int unpack(Rest rest) {
  std::uint32_t count = 0;
  if (!rest.take_number(count)) return EBADMSG;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t path_bytes = 0, bytes = 0;
    if (!rest.take_number(path_bytes) || !rest.take_number(bytes)) return EBADMSG;
    const char* path = rest.take(path_bytes);
    const char* content = rest.take(bytes);
    if (path == nullptr || content == nullptr || path_bytes < 2 ||
        path_bytes > kGrantedPathBytesMax || path[path_bytes - 1] != '\0')
      return EBADMSG;
    if (const int error = write_file(path, content, bytes); error != 0) return error;
  }
  return rest.bytes == 0 ? 0 : EBADMSG;
}

}  // namespace

std::size_t packed_bytes(const std::vector<GrantedFile>& files) {
  std::size_t bytes = kNumberBytes;
  for (const GrantedFile& file : files)
    bytes += 2 * kNumberBytes + file.path.size() + 1 + file.bytes.size();
  return bytes;
}

void pack_files(const std::vector<GrantedFile>& files, char* out) {
  out = put_number(out, files.size());
  for (const GrantedFile& file : files) {
    out = put_number(out, file.path.size() + 1);
    out = put_number(out, file.bytes.size());
    out = put_bytes(out, file.path.c_str(), file.path.size() + 1);
    out = put_bytes(out, file.bytes.data(), file.bytes.size());
  }
}

int unpack_files(int pack) {
  struct stat info = {};
  if (::fstat(pack, &info) != 0) return errno;
  const auto bytes = static_cast<std::size_t>(info.st_size);
  if (bytes == 0) return EBADMSG;
  void* pages = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, pack, 0);
  if (pages == MAP_FAILED) return errno;
  const int error = unpack({static_cast<const char*>(pages), bytes});
  ::munmap(pages, bytes);
  return error;
}

}  // namespace subito::sandbox
