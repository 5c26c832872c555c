#include "runtime/sdk/image_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/sdk/image_kernel_areas.h"

namespace subito::sdk {
namespace {

using protocol::ImageArea;
using protocol::ImageSource;
using protocol::ImageState;
using protocol::kImagePageBytes;

constexpr std::size_t kMapsBytesMax = 512 << 10;
constexpr std::size_t kPagesAtOnce = 64 << 10;
constexpr std::size_t kWorkBytes = kMapsBytesMax + kPagesAtOnce;
// Between two runs of written pages so many others are written along: cheaper than a mapping.
constexpr std::uint64_t kGapPagesMax = 8;
constexpr std::uint64_t kStackBytesMax = 8 << 20;
constexpr std::uint64_t kStackGapBytes = 1 << 20;
constexpr int kExitNoImage = 74;  // EX_IOERR of sysexits.h

std::uint64_t take_number(std::string_view& text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    if (take_word(text) == word) return true;
  }
  return false;
}

// Lines of what it is like follow: "Anonymous:  8 kB".
bool begins_mapping(std::string_view line) {
  return !line.empty() && (line[0] < 'A' || line[0] > 'Z');
}

bool is_kernels(std::string_view path) {
  return path.starts_with("[vvar") || path == "[vdso]";
}

// What /proc/self/FOLDER lists, but for the entry that the listing itself needs.
template <typename Take>
void for_each_number_in(const char* folder, const Take& take) {
  DIR* directory = ::opendir(folder);
  if (directory == nullptr) ::_exit(kExitNoImage);
  while (const dirent* entry = ::readdir(directory)) {
    const int number = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != ::dirfd(directory)) take(number);
  }
  ::closedir(directory);
}

// The name of something in it; empty: there is nothing.
std::string any_in(const char* folder) {
  DIR* directory = ::opendir(folder);
  if (directory == nullptr) ::_exit(kExitNoImage);
  std::string name;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view found = entry->d_name;
    if (found != "." && found != "..") name = found;
  }
  ::closedir(directory);
  return name;
}

template <typename Take>
void for_each_line(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string path_of_descriptor(int fd) {
  char path[200];
  const ssize_t size =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return {path, size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

ImageWriter::ImageWriter(UniqueFd image) : image_(std::move(image)) {
  struct stat info = {};
  if (::fstat(image_.get(), &info) != 0) ::_exit(kExitNoImage);
  image_bytes_ = static_cast<std::uint64_t>(info.st_size);
  if (image_bytes_ < protocol::kImageHeaderBytes) ::_exit(kExitNoImage);
  // Not written by write(2): a pod may not write files as large (RLIMIT_FSIZE).
  void* base = ::mmap(nullptr, image_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, image_.get(), 0);
  void* work =
      ::mmap(nullptr, kWorkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED || work == MAP_FAILED) ::_exit(kExitNoImage);
  base_ = static_cast<char*>(base);
  work_ = static_cast<char*>(work);
  header_ = reinterpret_cast<protocol::ImageHeader*>(base_);
  if (header_->magic == 0)
    wanted_count_ = std::min<std::uint32_t>(header_->kernel_area_count, wanted_.size());
  std::copy_n(header_->kernel_areas, wanted_.size(), wanted_.begin());
  header_ = new (base_) protocol::ImageHeader;
}

void ImageWriter::refuse(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(header_->reason, sizeof header_->reason, format, arguments);
  va_end(arguments);
  header_->state = ImageState::kRefused;
  ::_exit(0);
}

void ImageWriter::check_process(int descriptor_last) {
  check_threads();
  check_descriptors(descriptor_last);
  check_files();
  check_timers();
}

void ImageWriter::check_threads() {
  int threads = 0;
  for_each_number_in("/proc/self/task", [&](int) { ++threads; });
  if (threads > 1) {
    refuse(
        "it runs %d threads before serve(), and a template is copied with one; start the others "
        "when the first request comes",
        threads);
  }
}

void ImageWriter::check_descriptors(int last) {
  int first = -1;
  for_each_number_in("/proc/self/fd", [&](int fd) {
    if (fd <= last || fd == image_.get()) return;
    if (first < 0 || fd < first) first = fd;
  });
  if (first >= 0) {
    refuse(
        "it holds descriptor %d open before serve() (%s), and a template is copied without; "
        "open it when the first request comes",
        first, path_of_descriptor(first).c_str());
  }
}

void ImageWriter::check_files() {
  char folder[200];
  if (::getcwd(folder, sizeof folder) == nullptr || folder != std::string_view("/")) {
    refuse(
        "its working folder is not / before serve(), and that of a copy is; change it when the "
        "first request comes");
  }
  if (const std::string name = any_in("/tmp"); !name.empty()) {
    refuse(
        "it has left /tmp/%.100s before serve(), and a template is copied without; write it when "
        "the first request comes",
        name.c_str());
  }
}

void ImageWriter::check_timers() {
  for (const auto timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    itimerval left = {};
    ::getitimer(timer, &left);
    if (left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0) continue;
    refuse(
        "it has a timer running before serve() (setitimer, alarm), and a template is copied "
        "without; start it when the first request comes");
  }
}

std::string_view ImageWriter::read_maps() {
  const UniqueFd file(::open("/proc/self/smaps", O_RDONLY | O_CLOEXEC));
  std::size_t size = 0;
  ssize_t count = 0;
  while (size < kMapsBytesMax &&
         (count = ::read(file.get(), work_ + size, kMapsBytesMax - size)) > 0) {
    size += static_cast<std::size_t>(count);
  }
  if (size == kMapsBytesMax) refuse("its memory is in too many pieces");
  if (!file.valid() || count < 0) ::_exit(kExitNoImage);
  return {work_, size};
}

// Not pagemap, which says it by the page: a process whose binary others may not read cannot read
// that of its own.
void ImageWriter::add_all(std::string_view maps) {
  Mapping mapping;
  for_each_line(maps, [&](std::string_view line) {
    if (begins_mapping(line)) {
      if (mapping.end != 0) add(mapping);
      mapping = parse(line);
    }
    const std::string_view key = take_word(line);
    if (key == "VmFlags:") mapping.dropped = has_word(line, "wf") || has_word(line, "dp");
    if (key != "Anonymous:" && key != "Swap:") return;
    std::string_view kibibytes = take_word(line);
    (key == "Swap:" ? mapping.swapped_bytes : mapping.own_bytes) = take_number(kibibytes, 10) << 10;
  });
  if (mapping.end != 0) add(mapping);
}

// "00400000-0040b000 r-xp 00001000 fd:01 1234   /path": proc_pid_maps(5).
ImageWriter::Mapping ImageWriter::parse(std::string_view line) {
  Mapping mapping;
  mapping.begin = take_number(line, 16);
  line.remove_prefix(1);
  mapping.end = take_number(line, 16);
  const std::string_view rights = take_word(line);
  if (rights.size() == 4) {
    mapping.protection = (rights[0] == 'r' ? PROT_READ : 0U) |
                         (rights[1] == 'w' ? PROT_WRITE : 0U) | (rights[2] == 'x' ? PROT_EXEC : 0U);
    mapping.shared = rights[3] == 's';
  }
  std::string_view offset = take_word(line);
  mapping.offset = take_number(offset, 16);
  mapping.device = take_word(line);
  std::string_view inode = take_word(line);
  mapping.inode = take_number(inode, 10);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  mapping.path = line;
  return mapping;
}

// Neighbours of one kind are one mapping to the kernel: `work_` may be part of a larger one, of
// which it is left out below.
bool ImageWriter::is_own(const Mapping& mapping) const {
  const auto work = reinterpret_cast<std::uint64_t>(work_);
  return mapping.begin == reinterpret_cast<std::uint64_t>(base_) ||
         (mapping.begin == work && mapping.end == work + kWorkBytes);
}

// The file that this very code is of.
void ImageWriter::find_binary(std::string_view maps) {
  const auto here = reinterpret_cast<std::uint64_t>(&is_kernels);
  for_each_line(maps, [&](std::string_view line) {
    if (!begins_mapping(line)) return;
    const Mapping mapping = parse(line);
    if (here < mapping.begin || here >= mapping.end) return;
    binary_device_ = mapping.device;
    binary_inode_ = mapping.inode;
  });
}

void ImageWriter::write_and_exit() {
  const std::string_view maps = read_maps();
  find_binary(maps);
  add_all(maps);
  const std::span wanted(wanted_.data(), wanted_count_);
  if (can_move_kernel_areas(*header_, wanted)) {
    auto* const words = reinterpret_cast<std::uint64_t*>(base_ + protocol::kImageHeaderBytes);
    move_kernel_areas(*header_, wanted,
                      {words, (used_bytes_ - protocol::kImageHeaderBytes) / sizeof *words});
  }
  header_->state = ImageState::kReady;
  ::_exit(0);
}

void ImageWriter::add(const Mapping& mapping) {
  if (is_own(mapping) || mapping.begin >= protocol::kImageAddressEnd) return;
  if (is_kernels(mapping.path)) return add_kernel_area(mapping);
  if (mapping.path == "[stack]") return add_stack(mapping);
  const bool of_binary =
      mapping.inode != 0 && mapping.inode == binary_inode_ && mapping.device == binary_device_;
  if (mapping.shared || (mapping.inode != 0 && !of_binary)) {
    refuse(
        "it has mapped %.*s before serve(), and a template is copied without; map it when the "
        "first request comes",
        static_cast<int>(std::min<std::size_t>(mapping.path.size(), 100)), mapping.path.data());
  }
  // What is copied whole has nothing of the binary left: each mapping costs its pods 2 us.
  if (!of_binary || !is_copied_whole(mapping)) {
    add_area({mapping.begin, mapping.end, mapping.offset, mapping.protection,
              of_binary ? ImageSource::kBinary : ImageSource::kZero});
  }
  add_written_pages(mapping);
  last_end_ = mapping.end;
}

void ImageWriter::add_kernel_area(const Mapping& mapping) {
  if (header_->kernel_area_count == protocol::kImageKernelAreasMax) {
    refuse("this kernel puts more into a process than is known");
  }
  header_->kernel_areas[header_->kernel_area_count++] = {mapping.begin, mapping.end};
}

// As large at once as it may become: what is no [stack] to the kernel does not grow.
void ImageWriter::add_stack(Mapping mapping) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_STACK, &limit);
  const std::uint64_t size = std::min<std::uint64_t>(limit.rlim_cur, kStackBytesMax);
  const std::uint64_t lowest = std::max(mapping.end - size, last_end_ + kStackGapBytes);
  const std::uint64_t begin = std::min(mapping.begin, lowest & ~(kImagePageBytes - 1));
  add_area({begin, mapping.end, 0, mapping.protection, ImageSource::kZero});
  add_written_pages(mapping);
  last_end_ = mapping.end;
}

void ImageWriter::add_area(const ImageArea& area) {
  if (header_->area_count == protocol::kImageAreasMax) {
    refuse("its memory is in too many pieces before serve()");
  }
  header_->areas[header_->area_count++] = area;
}

bool ImageWriter::is_copied_whole(const Mapping& mapping) {
  const bool has_own = !mapping.dropped && mapping.own_bytes + mapping.swapped_bytes > 0;
  return has_own && (mapping.inode != 0 || mapping.swapped_bytes != 0);
}

// Pages of its own, neither the binary's nor never touched. Of the binary's data, and where pages
// are swapped out (of which mincore(2) knows nothing), all. What fork(2) would not copy is zero.
void ImageWriter::add_written_pages(const Mapping& mapping) {
  if (mapping.dropped || mapping.own_bytes + mapping.swapped_bytes == 0) return;
  if (is_copied_whole(mapping)) {
    return copy(mapping.begin, mapping.end, mapping);
  }
  auto* const in_memory = reinterpret_cast<unsigned char*>(work_ + kMapsBytesMax);
  const auto work = reinterpret_cast<std::uint64_t>(work_);
  std::uint64_t run_begin = 0;
  std::uint64_t run_end = 0;  // 0: there is none
  for (std::uint64_t at = mapping.begin; at < mapping.end;) {
    const std::size_t pages = std::min((mapping.end - at) / kImagePageBytes, kPagesAtOnce);
    if (::mincore(reinterpret_cast<void*>(at), pages * kImagePageBytes, in_memory) != 0) {
      ::_exit(kExitNoImage);
    }
    for (std::size_t i = 0; i < pages; ++i, at += kImagePageBytes) {
      if ((in_memory[i] & 1) == 0 || (at >= work && at < work + kWorkBytes)) continue;
      if (run_end != 0 && at - run_end > kGapPagesMax * kImagePageBytes) {
        copy(run_begin, run_end, mapping);
        run_end = 0;
      }
      if (run_end == 0) run_begin = at;
      run_end = at + kImagePageBytes;
    }
  }
  if (run_end != 0) copy(run_begin, run_end, mapping);
}

void ImageWriter::copy(std::uint64_t begin, std::uint64_t end, const Mapping& mapping) {
  if (used_bytes_ + (end - begin) > image_bytes_) {
    refuse("it holds more memory before serve() than a pod may have");
  }
  auto* const from = reinterpret_cast<void*>(begin);
  if ((mapping.protection & PROT_READ) == 0) ::mprotect(from, end - begin, PROT_READ);
  std::memcpy(base_ + used_bytes_, from, end - begin);
  add_area({begin, end, used_bytes_, mapping.protection, ImageSource::kImage});
  used_bytes_ += end - begin;
}

}  // namespace subito::sdk
