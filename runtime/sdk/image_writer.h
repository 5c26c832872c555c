// ImageWriter: writes the memory of its own process to an image. It runs while what it writes is in
// use: it keeps its things in mappings that are no part of the image, and asks malloc for nothing
// once it writes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/unique_fd.h"
#include "runtime/protocol/image.h"

namespace subito::sdk {

class ImageWriter {
 public:
  // Ends the process where the memfd cannot be mapped: the image stays blank.
  explicit ImageWriter(UniqueFd image);

  protocol::ImageHeader& header() { return *header_; }

  // Refuses what an image cannot hold: other threads, descriptors above `descriptor_last`, files in
  // /tmp, another working folder than /, running timers.
  void check_process(int descriptor_last);
  [[noreturn]] void write_and_exit();

 private:
  // Of /proc/self/smaps.
  struct Mapping {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    std::uint64_t inode = 0;
    std::string_view device;
    std::string_view path;
    std::uint32_t protection = 0;
    bool shared = false;
    std::uint64_t own_bytes = 0;      // written, or anonymous
    std::uint64_t swapped_bytes = 0;  // of these, not in memory
    bool dropped = false;             // no copy has its content: MADV_WIPEONFORK, MAP_DROPPABLE
  };

  [[noreturn]] void refuse(const char* format, ...) __attribute__((format(printf, 2, 3)));
  void check_threads();
  void check_descriptors(int last);
  void check_files();
  void check_timers();
  std::string_view read_maps();
  static Mapping parse(std::string_view line);
  void add_all(std::string_view maps);
  bool is_own(const Mapping& mapping) const;
  void find_binary(std::string_view maps);
  void add(const Mapping& mapping);
  void add_kernel_area(const Mapping& mapping);
  void add_stack(Mapping mapping);
  void add_area(const protocol::ImageArea& area);
  static bool is_copied_whole(const Mapping& mapping);
  void add_written_pages(const Mapping& mapping);
  void copy(std::uint64_t begin, std::uint64_t end, const Mapping& mapping);

  UniqueFd image_;
  std::uint64_t image_bytes_ = 0;
  char* base_ = nullptr;                     // the image, mapped
  protocol::ImageHeader* header_ = nullptr;  // in it
  // Where the kernel's areas are in its pods; 0: it was not told.
  std::uint32_t wanted_count_ = 0;
  std::array<protocol::ImageKernelArea, protocol::kImageKernelAreasMax> wanted_;
  char* work_ = nullptr;  // text of smaps, then bytes of mincore(2)
  std::uint64_t used_bytes_ = protocol::kImageHeaderBytes;
  std::string_view binary_device_;
  std::uint64_t binary_inode_ = 0;
  std::uint64_t last_end_ = 0;  // of the mapping before
};

}  // namespace subito::sdk
