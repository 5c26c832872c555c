// ReadAhead: what a connection has read and not yet parsed. Owned by its connection.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace subito::server {

class ReadAhead {
 public:
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size() - parsed_; }
  std::string_view rest() const { return std::string_view(bytes_).substr(parsed_); }
  std::size_t held_bytes() const { return bytes_.size(); }  // with what was parsed

  void append(std::string_view bytes) { bytes_.append(bytes); }
  void clear() {
    bytes_ = {};
    parsed_ = 0;
  }
  // The last `size` bytes of the rest are left.
  void keep(std::size_t size) {
    parsed_ = bytes_.size() - size;
    if (size == 0) return clear();
    if (parsed_ < kCompactBytes) return;
    bytes_.erase(0, parsed_);
    parsed_ = 0;
  }

 private:
  // A client that keeps requests in flight never leaves it empty: what is parsed is cut off the
  // front once it is so much, not at each call.
  static constexpr std::size_t kCompactBytes = 64 << 10;

  std::string bytes_;
  std::size_t parsed_ = 0;
};

}  // namespace subito::server
