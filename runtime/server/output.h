// Output: what a connection has still to send. Filled during a loop turn, sent with one call at
// its end. Owned by its connection.
#pragma once

#include <cstddef>
#include <string>

namespace subito::server {

class Output {
 public:
  std::string& buffer() { return buffer_; }  // append to it
  std::size_t unsent() const { return buffer_.size() - sent_; }
  bool empty() const { return unsent() == 0; }

  enum class Flush {
    kEmpty,    // all is with the kernel
    kBlocked,  // the client does not read fast enough
    kBroken,   // the connection is
  };
  // Never raises SIGPIPE. `progress` grows by what was sent.
  Flush flush(int fd, std::size_t& progress);

 private:
  std::string buffer_;
  std::size_t sent_ = 0;
};

}  // namespace subito::server
