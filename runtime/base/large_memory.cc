#include "runtime/base/large_memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace subito {
namespace {

std::align_val_t alignment(std::size_t bytes) {
  constexpr std::size_t kLine = 64;  // of records that are aligned to it
  return std::align_val_t(bytes < kHugePage ? kLine : kHugePage);
}

constexpr std::size_t kPage = 4096;

std::size_t rounded_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

void* allocate_large(std::size_t bytes) {
  void* const memory = ::operator new(bytes, alignment(bytes));
  // What is left over behind whole ones stays on small pages. Advice: it does not matter if it
  // fails.
  if (bytes >= kHugePage) ::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return memory;
}

void free_large(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, alignment(bytes));
}

GrowingMemory::~GrowingMemory() {
  if (begin_ != nullptr) ::munmap(begin_, reserved_);
}

// By twice, and from there on by huge pages: some calls to mprotect(2) for all of it.
void GrowingMemory::grow(std::size_t bytes) {
  if (bytes <= usable_) return;
  if (begin_ == nullptr) reserve();
  bytes = bytes <= kHugePage ? std::min(rounded_up(std::max(bytes, 2 * usable_), kPage), kHugePage)
                             : rounded_up(bytes, kHugePage);
  if (bytes > reserved_) throw std::bad_alloc();
  if (::mprotect(begin_ + usable_, bytes - usable_, PROT_READ | PROT_WRITE) != 0) {
    throw std::bad_alloc();
  }
  ::madvise(begin_ + usable_, bytes - usable_, MADV_DODUMP);
  usable_ = bytes;
}

// Where addresses are limited (RLIMIT_AS) no more than a sixteenth of them, as there are several
// such rows and all else. mmap(2) gives pages: what is before the first multiple of a huge one, and
// behind the last, goes back.
void GrowingMemory::reserve() {
  std::size_t bytes = bytes_max_;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<std::size_t>(bytes, limit.rlim_cur / 16);
  }
  bytes = rounded_up(bytes, kHugePage);
  void* const memory = ::mmap(nullptr, bytes + kHugePage, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  char* const first = static_cast<char*>(memory);
  const std::size_t before =
      (kHugePage - reinterpret_cast<std::uintptr_t>(first) % kHugePage) % kHugePage;
  if (before > 0) ::munmap(first, before);
  ::munmap(first + before + bytes, kHugePage - before);
  begin_ = first + before;
  reserved_ = bytes;
  ::madvise(begin_, bytes, MADV_DONTDUMP);  // gigabytes of a core dump otherwise, of nothing
  if (bytes > kHugePage) ::madvise(begin_ + kHugePage, bytes - kHugePage, MADV_HUGEPAGE);
}

}  // namespace subito
