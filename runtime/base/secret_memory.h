// Memory for what nobody shall find: plaintext of secrets in the node. It is locked (never swapped
// out), left out of core dumps, and wiped when it goes. Any thread, one at a time.
//
//   LockedBytes   memory of this process, between guard pages
//   SealedFile    a memfd that nobody can change any more, to hand to a pod; this process keeps its
//                 pages locked for as long as it has it
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito {

class LockedBytes {
 public:
  LockedBytes() = default;
  // Zeroes. Aborts the process when there is no memory, as operator new does.
  explicit LockedBytes(std::size_t size);
  static LockedBytes copy_of(std::string_view bytes);

  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {bytes_.get(), size_}; }
  // Fewer bytes than before; what is behind them stays until the end.
  void shrink(std::size_t size);

 private:
  struct Free {
    void operator()(char* bytes) const;
  };
  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
};

class SealedFile {
 public:
  SealedFile() = default;
  static Result<SealedFile> make(const char* name, std::string_view bytes);
  SealedFile(SealedFile&& other) noexcept;
  SealedFile& operator=(SealedFile&& other) noexcept;
  ~SealedFile();

  bool valid() const { return fd_.valid(); }
  std::size_t size() const { return size_; }
  int fd() const { return fd_.get(); }  // lent
  // A descriptor of its own for somebody else: for reading, at its beginning.
  Result<UniqueFd> open_again() const;

 private:
  UniqueFd fd_;
  void* pages_ = nullptr;  // mapped so that they can be locked
  std::size_t size_ = 0;
};

// Overwrites what was a copy.
void wipe(std::string& text);
void wipe(char* bytes, std::size_t size);
// The values of that name among names and values: fields of a request.
void wipe_values(std::vector<std::pair<std::string, std::string>>& fields, std::string_view name);

}  // namespace subito
