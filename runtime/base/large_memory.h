// LargeMemory: an allocator for what many records are kept in. Pieces of 2 MiB and more begin at a
// multiple of that and are asked onto huge pages (madvise(2)), where the kernel gives them: of
// 100,000 records each is on another page of 4 KiB, and to find a page that the processor has
// forgotten costs as much as to fetch what is on it, in a virtual machine more. Smaller pieces are
// as anybody's. Without state; any thread.
#pragma once

#include <cstddef>

namespace subito {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

void* allocate_large(std::size_t bytes);
void free_large(void* memory, std::size_t bytes) noexcept;

template <typename T>
struct LargeMemory {
  using value_type = T;

  LargeMemory() = default;
  template <typename Other>
  LargeMemory(const LargeMemory<Other>&) {}  // NOLINT: as allocators are

  T* allocate(std::size_t count) { return static_cast<T*>(allocate_large(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept { free_large(memory, count * sizeof(T)); }
  friend bool operator==(LargeMemory, LargeMemory) { return true; }
};

}  // namespace subito
