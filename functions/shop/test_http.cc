#include "functions/shop/test_http.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace shop {
namespace {

// Everything until the far end closes; "" when it is not there.
std::string exchange(const std::string& socket_path, const std::string& text) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  std::string answer;
  const timeval patience{20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
    std::array<char, 4096> buffer;
    ssize_t n = 0;
    while ((n = read(fd, buffer.data(), buffer.size())) > 0) {
      answer.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  close(fd);
  return answer;
}

}  // namespace

HttpAnswer http(const std::string& socket_path, const std::string& method, const std::string& path,
                const std::string& extra_headers, const std::string& body) {
  const std::string answer = exchange(
      socket_path, method + " " + path + " HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n" +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n" + extra_headers +
                       "\r\n" + body);
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos || !answer.starts_with("HTTP/1.1 ")) return {};
  return {std::atoi(answer.c_str() + 9), answer.substr(0, end), answer.substr(end + 4)};
}

}  // namespace shop
