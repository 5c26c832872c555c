// The image of a template: the memory of a function that has initialised itself and waits to serve,
// in a memfd. Written by the function's own process (runtime/sdk/template_image.h), read once by
// the node, and mapped by each pod that begins as it (runtime/sandbox/restore.h). A plain struct of
// one machine and one kernel; whoever reads it believes nothing of it unchecked.
//
//   header, kImageHeaderBytes │ pages, as the areas say
#pragma once

#include <cstddef>
#include <cstdint>

namespace subito::protocol {

constexpr std::uint64_t kImageMagic = 0x3130'6567'616d'4953;  // "SImage01"
constexpr std::size_t kImageHeaderBytes = 16 << 10;
constexpr std::size_t kImagePageBytes = 4096;
constexpr std::size_t kImageAreasMax = 480;
constexpr std::size_t kImageKernelAreasMax = 4;
constexpr std::size_t kImageReasonBytesMax = 400;
// Memory that a process on x86-64 can have lies below.
constexpr std::uint64_t kImageAddressEnd = 0x7fff'ffff'f000;

enum class ImageState : std::uint32_t {
  kBlank,    // its process has not come to it, or died of it
  kReady,    // whole
  kRefused,  // `reason` says what of the function cannot be in an image
};

enum class ImageSource : std::uint32_t {
  kZero,    // anonymous memory
  kBinary,  // the function's own binary at `offset`
  kImage,   // the image at `offset`
};

// Memory [begin, end) of the process, in whole pages. Later areas lie over earlier ones.
struct ImageArea {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint32_t protection = 0;  // PROT_*
  ImageSource source = ImageSource::kZero;
};

// What the kernel put into the process: [vvar], [vdso].
struct ImageKernelArea {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct ImageHeader {
  std::uint64_t magic = kImageMagic;
  ImageState state = ImageState::kBlank;
  std::uint32_t area_count = 0;
  std::uint32_t kernel_area_count = 0;
  char reason[kImageReasonBytesMax] = {};  // ended by NUL
  // Where the process goes on: resume(context, begin and size of memory that is to be unmapped).
  std::uint64_t resume = 0;
  std::uint64_t context = 0;
  std::uint64_t stack = 0;           // as a call leaves it: 8 below a multiple of 16
  std::uint64_t thread_pointer = 0;  // the FS base
  // Of the process, or where its pods have them. Before it is written (`magic` is 0): where they
  // will have them.
  ImageKernelArea kernel_areas[kImageKernelAreasMax];
  ImageArea areas[kImageAreasMax];
};
static_assert(sizeof(ImageHeader) <= kImageHeaderBytes);

}  // namespace subito::protocol
