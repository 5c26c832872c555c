#include "scheduler/allocations.h"

#include <cstdlib>
#include <new>

namespace {
long allocated = 0;
}

// Not inline: g++ would see malloc meet delete, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocated;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace subito::scheduler {

long allocations() {
  return allocated;
}

}  // namespace subito::scheduler
