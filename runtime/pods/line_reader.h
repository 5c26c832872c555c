// LineReader: what a pod prints, a line at a time. Owns the node's end of the pod's stdio socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/unique_fd.h"
#include "runtime/loop/loop.h"

namespace subito::pods {

constexpr std::size_t kLineBytesMax = 8 << 10;  // a longer line is cut in pieces of this size

class LineReader {
 public:
  using Callback = std::function<void(std::string_view line)>;
  // `fd`: non-blocking. `callback` gets each line without its newline, the last one at the end of
  // the stream even without a newline; it must not destroy the reader.
  LineReader(Loop& loop, UniqueFd fd, Callback callback);
  ~LineReader();

  // Takes what the kernel still has; for when the pod is known to be gone.
  void finish();
  // Takes what was printed up to now. What it prints later is told from it by is_current().
  void catch_up();
  // Of a line, in its callback: all of it was printed since the last catch_up(). False: perhaps
  // not.
  bool is_current() const { return !behind_ && !begun_before_; }

 private:
  bool read_some();
  void split();

  UniqueFd fd_;
  Callback callback_;
  std::string pending_;
  bool behind_ = false;        // the last catch_up() left some in the kernel
  bool begun_before_ = false;  // and what is pending, to which the next line belongs
  std::unique_ptr<Poll> poll_;
};

}  // namespace subito::pods
