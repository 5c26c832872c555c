#include "runtime/base/large_memory.h"

#include <sys/mman.h>

#include <new>

namespace subito {
namespace {

std::align_val_t alignment(std::size_t bytes) {
  constexpr std::size_t kLine = 64;  // of records that are aligned to it
  return std::align_val_t(bytes < kHugePage ? kLine : kHugePage);
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

}  // namespace subito
