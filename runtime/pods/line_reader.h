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

 private:
  bool read_some();
  void split();

  UniqueFd fd_;
  Callback callback_;
  std::string pending_;
  std::unique_ptr<Poll> poll_;
};

}  // namespace subito::pods
