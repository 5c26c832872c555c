#include "bench/http_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>

#include "runtime/http/writer.h"

namespace subito::bench {

namespace {

// A receive that timed out says EAGAIN.
Error socket_error(const char* doing) {
  if (errno == EINTR) return {ErrorCode::kCancelled, std::string(doing) + ": interrupted", EINTR};
  if (errno == EAGAIN) {
    return {ErrorCode::kDeadlineExceeded, std::string(doing) + ": nothing came in time", EAGAIN};
  }
  return errno_error(doing);
}

Result<UniqueFd> open_socket(int family, const sockaddr* address, socklen_t size) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return errno_error("make socket");
  const timeval timeout = {kReplySecondsMax, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (family == AF_INET) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(fd.get(), address, size) != 0) return socket_error("connect to server");
  return fd;
}

Result<UniqueFd> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::kInvalidArgument, "connect to " + path + ": path is too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return open_socket(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Result<UniqueFd> connect_tcp(const ServerAddress& server) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port);
  if (::inet_pton(AF_INET, server.host.c_str(), &address.sin_addr) != 1) {
    return fail(ErrorCode::kInvalidArgument, "connect to " + server.host + ": not an IPv4 address");
  }
  return open_socket(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

Result<UniqueFd> connect_socket(const ServerAddress& address) {
  return address.socket_path.empty() ? connect_tcp(address) : connect_unix(address.socket_path);
}

Status send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return socket_error("send request");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return ok();
}

Result<std::string_view> receive(int fd, char* buffer, std::size_t capacity) {
  const ssize_t size = ::recv(fd, buffer, capacity, 0);
  if (size < 0) return socket_error("read answer");
  if (size == 0) return fail(ErrorCode::kUnavailable, "read answer: the connection broke off");
  return std::string_view(buffer, static_cast<std::size_t>(size));
}

namespace {

Status send_request(int fd, const HttpRequest& request) {
  std::string bytes;
  RETURN_IF_ERROR(append_request(bytes, request));
  return send_all(fd, bytes);
}

// One more piece of the answer; true when it is complete.
Result<bool> take(http::ResponseParser& parser, std::string_view input, HttpReply& reply) {
  for (;;) {
    switch (parser.next(input)) {
      case http::Event::kMore:
        return false;
      case http::Event::kHead:
        reply.status = parser.head().status;
        reply.fields = std::move(parser.head().fields);
        break;
      case http::Event::kBody:
        if (reply.body.size() + parser.body().size() > kReplyBodyBytesMax) {
          return fail(ErrorCode::kResourceExhausted, "read answer: its body is too large");
        }
        reply.body += parser.body();
        break;
      case http::Event::kEnd:
        return true;
      case http::Event::kRejected:
        return fail(ErrorCode::kProtocol, "read answer: " + std::string(parser.rejection().reason));
    }
  }
}

}  // namespace

Status append_request(std::string& out, const HttpRequest& request) {
  http::RequestHead head;
  head.method = request.method;
  const std::size_t query = request.path.find('?');
  head.path = request.path.substr(0, query);
  if (query != request.path.npos) head.query = request.path.substr(query + 1);
  head.host = "bench";
  head.fields = request.fields;
  if (!request.body.empty()) head.content_length = request.body.size();
  RETURN_IF_ERROR(http::append_request_head(out, head));
  out += request.body;
  return ok();
}

Result<ServerAddress> parse_gateway_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const std::size_t colon = url.rfind(':');
  ServerAddress address;
  const char* end = url.data() + url.size();
  if (!url.starts_with(kScheme) || colon == url.npos || colon < kScheme.size() ||
      std::from_chars(url.data() + colon + 1, end, address.port).ptr != end) {
    return fail(ErrorCode::kInvalidArgument,
                "understand gateway " + std::string(url) + ": not http://ADDRESS:PORT");
  }
  address.host = url.substr(kScheme.size(), colon - kScheme.size());
  return address;
}

Result<HttpClient> HttpClient::connect(const ServerAddress& address) {
  ASSIGN_OR_RETURN(UniqueFd fd, connect_socket(address));
  return HttpClient(std::move(fd));
}

Result<HttpReply> HttpClient::call(std::string_view method, std::string_view path,
                                   std::string_view body) {
  return call({std::string(method), std::string(path), {}, std::string(body)});
}

Result<HttpReply> HttpClient::call(const HttpRequest& request) {
  RETURN_IF_ERROR(send_request(fd_.get(), request));
  http::ResponseParser parser{http::ParserLimits()};
  HttpReply reply;
  char buffer[16 << 10];
  for (;;) {
    ASSIGN_OR_RETURN(const std::string_view input, receive(fd_.get(), buffer, sizeof buffer));
    ASSIGN_OR_RETURN(const bool complete, take(parser, input, reply));
    if (complete) return reply;
  }
}

Result<HttpStream> HttpStream::open(const ServerAddress& address, std::string_view path) {
  ASSIGN_OR_RETURN(UniqueFd fd, connect_socket(address));
  RETURN_IF_ERROR(send_request(fd.get(), {"GET", std::string(path), {}, ""}));
  return HttpStream(std::move(fd));
}

Result<std::string> HttpStream::next() {
  char buffer[16 << 10];
  for (;;) {
    ASSIGN_OR_RETURN(const std::string_view input, receive(fd_.get(), buffer, sizeof buffer));
    HttpReply reply;
    ASSIGN_OR_RETURN(const bool complete, take(parser_, input, reply));
    const int status = parser_.head().status;
    if (complete || (!reply.body.empty() && status != 200)) {
      return fail(ErrorCode::kProtocol, "read stream: it ended, status " + std::to_string(status));
    }
    if (!reply.body.empty()) return std::move(reply.body);
  }
}

void HttpStream::shut() {
  ::shutdown(fd_.get(), SHUT_RDWR);
}

}  // namespace subito::bench
