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

// GrowingMemory: a row that grows and never moves, for records that others point at. Addresses for
// all that it may come to be are reserved when it first grows, which takes no memory (nor counts as
// promised); they get some behind them as it grows. Beyond the first 2 MiB it is advised onto huge
// pages, as above. Whoever owns it makes and ends what is in it.
class GrowingMemory {
 public:
  explicit GrowingMemory(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  ~GrowingMemory();
  GrowingMemory(const GrowingMemory&) = delete;
  GrowingMemory& operator=(const GrowingMemory&) = delete;

  // At least so many bytes, zeros where they are new. std::bad_alloc as by `new`: there is no
  // memory, or it would be more than bytes_max.
  void grow(std::size_t bytes);
  void* begin() const { return begin_; }        // at a multiple of 2 MiB; null before it grew
  std::size_t size() const { return usable_; }  // in bytes

 private:
  void reserve();

  const std::size_t bytes_max_;
  char* begin_ = nullptr;
  std::size_t reserved_ = 0;
  std::size_t usable_ = 0;
};

}  // namespace subito
