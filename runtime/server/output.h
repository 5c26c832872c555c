// Output: what a connection has still to send. Filled during a loop turn, sent with one call at
// its end. Owned by its connection.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace subito::server {

class Output {
 public:
  std::string& buffer() { return buffer_; }  // append to it
  std::size_t unsent() const { return buffer_.size() - sent_; }
  bool empty() const { return unsent() == 0; }

  // For who sends it by another way: what is first of it, and that so much is done with.
  std::string_view front(std::size_t bytes_max) const {
    return std::string_view(buffer_).substr(sent_, bytes_max);
  }
  void drop(std::size_t bytes);

  enum class Flush {
    kEmpty,    // all is with the kernel
    kBlocked,  // the client does not read fast enough
    kBroken,   // the connection is
  };
  // Never raises SIGPIPE. `progress` grows by what was sent.
  Flush flush(int fd, std::size_t& progress);

 private:
  void clear();

  std::string buffer_;
  std::size_t sent_ = 0;
};

}  // namespace subito::server
