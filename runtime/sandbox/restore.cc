#include "runtime/sandbox/restore.h"

#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>

#include "runtime/sandbox/restore_tail.h"

namespace subito::sandbox {
namespace {

using protocol::ImageArea;
using protocol::ImageHeader;
using protocol::ImageKernelArea;
using protocol::ImageSource;
using protocol::kImageAddressEnd;
using protocol::kImagePageBytes;

constexpr int kDescriptorLast = 3;        // of the function: its channel
constexpr std::uint32_t kRseqBytes = 32;  // what glibc registers
constexpr int kRseqUnregister = 1;        // RSEQ_FLAG_UNREGISTER of linux/rseq.h
constexpr int kPlacesMax = 8;             // tried for the tail
constexpr std::uint64_t kTailBytes =
    kImagePageBytes + (sizeof(TailCall) * kTailCallsMax + sizeof(TailJump) + kImagePageBytes - 1) /
                          kImagePageBytes * kImagePageBytes;

// Of this process, which begins as one image at most.
ImageHeader image_header;
char* tail_place = nullptr;

bool overlap(std::uint64_t begin, std::uint64_t end, std::uint64_t other_begin,
             std::uint64_t other_end) {
  return begin < other_end && other_begin < end;
}

bool is_range(std::uint64_t begin, std::uint64_t end) {
  return begin < end && end <= kImageAddressEnd && (begin | end) % kImagePageBytes == 0;
}

// No more of it than there is: each page that is touched costs a fault.
bool read_header(int image, ImageHeader& header) {
  constexpr auto kHead = static_cast<ssize_t>(offsetof(ImageHeader, areas));
  if (::pread(image, &header, kHead, 0) != kHead) return false;
  if (header.area_count > protocol::kImageAreasMax) return false;
  const auto rest = static_cast<ssize_t>(header.area_count * sizeof(ImageArea));
  return ::pread(image, header.areas, static_cast<std::size_t>(rest), kHead) == rest;
}

bool is_sound(const ImageHeader& header) {
  if (header.magic != protocol::kImageMagic || header.state != protocol::ImageState::kReady ||
      header.kernel_area_count > protocol::kImageKernelAreasMax) {
    return false;
  }
  for (std::uint32_t i = 0; i < header.area_count; ++i) {
    const ImageArea& area = header.areas[i];
    if (!is_range(area.begin, area.end) || area.offset % kImagePageBytes != 0 ||
        area.protection > (PROT_READ | PROT_WRITE | PROT_EXEC) ||
        area.source > ImageSource::kImage) {
      return false;
    }
  }
  for (std::uint32_t i = 0; i < header.kernel_area_count; ++i) {
    if (!is_range(header.kernel_areas[i].begin, header.kernel_areas[i].end)) return false;
  }
  return true;
}

bool needs(const ImageHeader& header, std::uint64_t begin, std::uint64_t end) {
  for (std::uint32_t i = 0; i < header.area_count; ++i) {
    if (overlap(begin, end, header.areas[i].begin, header.areas[i].end)) return true;
  }
  for (std::uint32_t i = 0; i < header.kernel_area_count; ++i) {
    const ImageKernelArea& area = header.kernel_areas[i];
    if (overlap(begin, end, area.begin, area.end)) return true;
  }
  return false;
}

// With the tail's code in its first page, behind which its calls come. Null: there is no memory.
char* map_tail() {
  void* memory =
      ::mmap(nullptr, kTailBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* const place = static_cast<char*>(memory);
  const auto size = static_cast<std::size_t>(subito_tail_end - subito_tail_begin);
  std::memcpy(place, subito_tail_begin, size);
  if (::mprotect(place, kImagePageBytes, PROT_READ | PROT_EXEC) != 0) return nullptr;
  place[kImagePageBytes] = 0;  // it will be written to
  return place;
}

// Where the image has nothing; null: none was found.
char* place_tail(const ImageHeader& header, char* place) {
  for (int i = 0; i < kPlacesMax && place != nullptr; ++i) {
    const auto begin = reinterpret_cast<std::uint64_t>(place);
    if (!needs(header, begin, begin + kTailBytes)) return place;
    place = map_tail();  // the one before is kept, so that this one is elsewhere
  }
  return nullptr;
}

// The image has the addresses of [vdso] written down, in libc's pointers to the clock. They are
// ours where its process was told of them; else mremap(2) moves ours there, at some 50 us. Nobody
// may ask libc for the time after this.
int move_kernel_areas(const ImageHeader& header, const KernelAreas& own) {
  if (header.kernel_area_count != own.count) return EBADMSG;
  for (std::uint32_t i = 0; i < own.count; ++i) {
    const ImageKernelArea& from = own.areas[i];
    const ImageKernelArea& to = header.kernel_areas[i];
    const std::uint64_t size = from.end - from.begin;
    if (to.end - to.begin != size) return EBADMSG;
    if (from.begin == to.begin) continue;
    // Takes the place, or finds that it is taken.
    auto* const place = reinterpret_cast<void*>(to.begin);
    if (::mmap(place, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
        place) {
      return EEXIST;
    }
    if (::mremap(reinterpret_cast<void*>(from.begin), size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
                 place) != place) {
      return errno;
    }
  }
  return 0;
}

// The calls that the tail makes.
class TailWriter {
 public:
  TailWriter(char* place, const ReceivedLaunch& launch, const ImageHeader& header)
      : place_(place),
        calls_(reinterpret_cast<TailCall*>(place + kImagePageBytes)),
        launch_(launch),
        header_(header) {}

  void write() {
    unmap_all_else();
    for (std::uint32_t i = 0; i < header_.area_count; ++i) map(header_.areas[i]);
    // Last of what can be missed: the descriptors that were mapped, `control`, all of ours.
    add(SYS_close_range, {kDescriptorLast + 1, ~0U, 0});
    add(SYS_arch_prctl, {ARCH_SET_FS, header_.thread_pointer});
    TailJump jump;
    jump.resume = header_.resume;
    jump.context = header_.context;
    jump.rest = reinterpret_cast<std::uint64_t>(place_);
    jump.rest_bytes = kTailBytes;
    jump.stack = header_.stack;
    jump.has_avx = __builtin_cpu_supports("avx") != 0 ? 1 : 0;
    std::memcpy(static_cast<void*>(calls_ + count_), &jump, sizeof jump);
  }

  const TailCall* begin() const { return calls_; }
  const TailCall* end() const { return calls_ + count_; }

 private:
  void add(long number, std::initializer_list<std::uint64_t> arguments) {
    TailCall& call = calls_[count_++];
    call.number = static_cast<std::uint64_t>(number);
    std::copy(arguments.begin(), arguments.end(), call.arguments);
  }

  // Everything but the tail and what the kernel put here: secrets, and memory that is shared.
  void unmap_all_else() {
    const auto tail = reinterpret_cast<std::uint64_t>(place_);
    const ImageKernelArea own = {tail, tail + kTailBytes};
    std::uint64_t at = 0;
    while (at < kImageAddressEnd) {
      ImageKernelArea next = {kImageAddressEnd, kImageAddressEnd};  // kept, from `at` on
      if (own.begin >= at) next = own;
      for (std::uint32_t i = 0; i < header_.kernel_area_count; ++i) {
        const ImageKernelArea& area = header_.kernel_areas[i];
        if (area.begin >= at && area.begin < next.begin) next = area;
      }
      if (at < next.begin) add(SYS_munmap, {at, next.begin - at});
      at = next.end;
    }
  }

  void map(const ImageArea& area) {
    std::uint64_t flags = MAP_PRIVATE | MAP_FIXED;
    auto fd = static_cast<std::uint64_t>(-1);
    if (area.source == ImageSource::kZero) flags |= MAP_ANONYMOUS | MAP_NORESERVE;
    if (area.source == ImageSource::kBinary) fd = static_cast<unsigned>(launch_.artefact.get());
    if (area.source == ImageSource::kImage) fd = static_cast<unsigned>(launch_.image.get());
    add(SYS_mmap, {area.begin, area.end - area.begin, area.protection, flags, fd, area.offset});
  }

  char* place_;
  TailCall* calls_;
  std::size_t count_ = 0;
  const ReceivedLaunch& launch_;
  const ImageHeader& header_;
};

// The kernel writes to this thread's area of rseq(2) whenever it has moved it: not there any more.
void leave_rseq() {
  if (__rseq_size == 0) return;
  std::uint64_t thread_pointer = 0;
  ::syscall(SYS_arch_prctl, ARCH_GET_FS, &thread_pointer);
  char* area = reinterpret_cast<char*>(thread_pointer) + __rseq_offset;
  ::syscall(SYS_rseq, area, kRseqBytes, kRseqUnregister, RSEQ_SIG);
}

}  // namespace

void prepare_restore() {
  image_header.magic = 0;
  tail_place = map_tail();
}

int restore_image(const ReceivedLaunch& launch, const KernelAreas& own) {
  ImageHeader& header = image_header;
  if (!read_header(launch.image.get(), header) || !is_sound(header)) return EBADMSG;
  char* const place = place_tail(header, tail_place != nullptr ? tail_place : map_tail());
  if (place == nullptr) return EEXIST;
  if (const int error = move_kernel_areas(header, own); error != 0) return error;
  TailWriter tail(place, launch, header);
  tail.write();
  leave_rseq();
  reinterpret_cast<Tail*>(place)(tail.begin(), tail.end());
  __builtin_unreachable();
}

}  // namespace subito::sandbox
