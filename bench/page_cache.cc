#include "bench/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "runtime/base/unique_fd.h"

namespace subito::bench {

Result<std::size_t> cached_pages(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat found {};
  if (!fd.valid() || ::fstat(fd.get(), &found) != 0) return errno_error("open " + file);
  const auto size = static_cast<std::size_t>(found.st_size);
  if (size == 0) return std::size_t{0};
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return errno_error("map " + file);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> present((size + page - 1) / page);
  const int told = ::mincore(mapped, size, present.data());
  const int error = errno;
  ::munmap(mapped, size);
  if (told != 0) return errno_error("count cached pages of " + file, error);
  return static_cast<std::size_t>(std::count_if(present.begin(), present.end(),
                                                [](unsigned char one) { return (one & 1) != 0; }));
}

Status drop_cached_pages(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open " + file);
  if (::fdatasync(fd.get()) != 0)
    return errno_error("write out " + file);  // dirty pages would stay
  if (const int error = ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED); error != 0) {
    return errno_error("drop cached pages of " + file, error);
  }
  ASSIGN_OR_RETURN(const std::size_t left, cached_pages(file));
  if (left == 0) return ok();
  return fail(ErrorCode::kFailedPrecondition,
              "drop cached pages of " + file + ": " + std::to_string(left) +
                  " stay; a process has them mapped, or the file lies in a tmpfs (set TMPDIR)");
}

}  // namespace subito::bench
