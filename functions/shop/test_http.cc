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
std::string all_that_is_answered(const std::string& socket_path, const std::string& text) {
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

// "Name: value" lines, after the status line if there is one.
subito::Headers headers_of(const std::string& lines) {
  subito::Headers headers;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find("\r\n", at), lines.size());
    const std::size_t colon = lines.find(": ", at);
    if (colon < end) {
      headers.add(lines.substr(at, colon - at), lines.substr(colon + 2, end - colon - 2));
    }
    at = end + 2;
  }
  return headers;
}

}  // namespace

HttpAnswer http(const std::string& socket_path, const std::string& method, const std::string& path,
                const std::string& extra_headers, const std::string& body) {
  const std::string answer = all_that_is_answered(
      socket_path, method + " " + path + " HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n" +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n" + extra_headers +
                       "\r\n" + body);
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos || !answer.starts_with("HTTP/1.1 ")) return {};
  return {std::atoi(answer.c_str() + 9), answer.substr(0, end), answer.substr(end + 4)};
}

subito::Response response_of(const HttpAnswer& answer) {
  subito::Response response(answer.status);
  response.body() = answer.body;
  const subito::Headers headers = headers_of(answer.head);
  for (const auto& [name, value] : headers.fields()) response.header(name, value);
  return response;
}

std::string http_fault(OpenApiCheck& check, const std::string& method, const std::string& path,
                       const std::string& extra_headers, const std::string& body,
                       const HttpAnswer& answer) {
  if (answer.status == 0) return "";
  return check.fault(subito::Request(method, path, headers_of(extra_headers), body),
                     response_of(answer));
}

}  // namespace shop
