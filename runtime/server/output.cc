#include "runtime/server/output.h"

#include <sys/socket.h>

#include <cerrno>

namespace subito::server {
namespace {

// An idle connection keeps this much at most; a busy one need not allocate for each answer.
constexpr std::size_t kKeptBytes = 4 << 10;
// What is sent is cut off the front once it is so much, not at each call.
constexpr std::size_t kCompactBytes = 64 << 10;

}  // namespace

Output::Flush Output::flush(int fd, std::size_t& progress) {
  while (sent_ < buffer_.size()) {
    const ssize_t sent =
        ::send(fd, buffer_.data() + sent_, buffer_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (sent_ >= kCompactBytes) {
        buffer_.erase(0, sent_);
        sent_ = 0;
      }
      return Flush::kBlocked;
    }
    if (sent < 0) return Flush::kBroken;
    sent_ += static_cast<std::size_t>(sent);
    progress += static_cast<std::size_t>(sent);
  }
  clear();
  return Flush::kEmpty;
}

void Output::drop(std::size_t bytes) {
  sent_ += bytes;
  if (empty()) return clear();
  if (sent_ < kCompactBytes) return;
  buffer_.erase(0, sent_);
  sent_ = 0;
}

void Output::clear() {
  sent_ = 0;
  buffer_.clear();
  if (buffer_.capacity() > kKeptBytes) buffer_ = {};
}

}  // namespace subito::server
