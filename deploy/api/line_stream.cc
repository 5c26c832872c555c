#include "deploy/api/line_stream.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace subito::api {

namespace {

constexpr int kOk = 200;

// Of a Unix socket: it connects at once or not at all, connect(2).
Result<UniqueFd> connect_to(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::kInvalidArgument, "connect to " + path + ": the path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (fd.valid() &&
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  Error error = errno_error("connect to " + path);
  const bool away = errno == ECONNREFUSED || errno == ENOENT || errno == EAGAIN;
  if (away) error.code = ErrorCode::kUnavailable;
  return error;
}

}  // namespace

Result<LineStream> LineStream::open(const std::string& socket_path, const std::string& path,
                                    const std::string& token) {
  ASSIGN_OR_RETURN(UniqueFd fd, connect_to(socket_path));
  const std::string shown = token.empty() ? "" : "authorization: Bearer " + token + "\r\n";
  const std::string request = "GET " + path + " HTTP/1.1\r\nhost: subito\r\n" + shown + "\r\n";
  const ssize_t sent = ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size()))  // an empty socket takes far more
    return fail(ErrorCode::kUnavailable, "call " + socket_path + ": the node has gone");
  return LineStream(std::move(fd));
}

Status LineStream::read(const std::function<void(std::string_view line)>& on_line) {
  std::array<char, 64 << 10> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return ok();
  if (size <= 0) return fail(ErrorCode::kUnavailable, "follow: the node ended the connection");
  return take({buffer.data(), static_cast<std::size_t>(size)}, on_line);
}

Status LineStream::take(std::string_view bytes,
                        const std::function<void(std::string_view line)>& on_line) {
  for (;;) {
    switch (parser_.next(bytes)) {
      case http::Event::kMore:
        return ok();
      case http::Event::kHead:
        status_ = parser_.head().status;
        break;
      case http::Event::kBody:
        rest_ += parser_.body();
        break;
      case http::Event::kEnd:
        if (status_ != kOk) return refused();
        return fail(ErrorCode::kUnavailable, "follow: the node ended the reply");
      case http::Event::kRejected:
        return fail(ErrorCode::kProtocol,
                    "follow: read reply: " + std::string(parser_.rejection().reason));
    }
    if (rest_.size() > kStreamLineBytesMax)
      return fail(ErrorCode::kProtocol, "follow: read reply: a line is too long");
    if (status_ != kOk) continue;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest_.find('\n', begin)) != rest_.npos; begin = end + 1)
      on_line(std::string_view(rest_).substr(begin, end - begin));
    rest_.erase(0, begin);
  }
}

Status LineStream::refused() const {
  const auto problem = nlohmann::json::parse(rest_, nullptr, false);
  return fail(ErrorCode::kFailedPrecondition,
              problem.is_object() ? problem.value("detail", "the node gave no reason")
                                  : "call node: it answered " + std::to_string(status_));
}

}  // namespace subito::api
