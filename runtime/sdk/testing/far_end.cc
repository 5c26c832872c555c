// The far end of a connection, held by the test.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "runtime/sdk/include/subito/testing.h"

namespace subito::testing {

FarEnd::FarEnd(int fd) : fd_(fd) {}

FarEnd::~FarEnd() {
  ::close(fd_);
}

void FarEnd::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const char* reason =
          errno == EAGAIN ? "the handler has not read what was sent before" : std::strerror(errno);
      throw std::runtime_error(std::string("send to handler: ") + reason);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void FarEnd::finish() {
  ::shutdown(fd_, SHUT_WR);
}

std::string FarEnd::received() {
  std::string bytes;
  char piece[16 << 10];
  ssize_t count = 0;
  while ((count = ::recv(fd_, piece, sizeof piece, MSG_DONTWAIT)) > 0 ||
         (count < 0 && errno == EINTR)) {
    if (count > 0) bytes.append(piece, static_cast<std::size_t>(count));
  }
  return bytes;
}

}  // namespace subito::testing
