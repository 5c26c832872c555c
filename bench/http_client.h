// HttpClient: one kept-alive HTTP/1.1 connection, blocking, for measuring: no loop, no thread, no
// copy between the clock and the socket. Owned by whoever measures; used on one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/http/message.h"
#include "runtime/http/response_parser.h"

namespace subito::bench {

// Where a server listens: a Unix socket, or a numeric IPv4 address and port of this machine.
struct ServerAddress {
  std::string socket_path;  // empty: TCP
  std::string host;
  std::uint16_t port = 0;
};

// "http://127.0.0.1:8080"
Result<ServerAddress> parse_gateway_url(std::string_view url);

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // with the query, if there is one
  http::Fields fields;
  std::string body;
};
// As it is sent; kInvalidArgument when a part of it cannot be.
Status append_request(std::string& out, const HttpRequest& request);

struct HttpReply {
  int status = 0;
  http::Fields fields;
  std::string body;
};

inline constexpr int kReplySecondsMax = 60;
inline constexpr std::size_t kReplyBodyBytesMax = 16 << 20;

// A blocking socket whose waits end after kReplySecondsMax. An arriving signal is an error
// (kCancelled), so that Ctrl-C ends a wait.
Result<UniqueFd> connect_socket(const ServerAddress& address);
Status send_all(int socket, std::string_view bytes);
// What has come, at least a byte; the end of the connection is an error.
Result<std::string_view> receive(int socket, char* buffer, std::size_t capacity);

class HttpClient {
 public:
  static Result<HttpClient> connect(const ServerAddress& address);

  // Sends and reads the whole answer. After an error the connection is of no more use. An arriving
  // signal is an error (kCancelled), so that Ctrl-C ends a wait.
  Result<HttpReply> call(std::string_view method, std::string_view path,
                         std::string_view body = {});
  Result<HttpReply> call(const HttpRequest& request);

 private:
  explicit HttpClient(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// HttpStream: an answer to GET that has no end, read piece by piece. On a connection of its own.
class HttpStream {
 public:
  static Result<HttpStream> open(const ServerAddress& address, std::string_view path);

  // Waits for the next piece of its body. Its end is an error; interrupted as HttpClient::call().
  Result<std::string> next();
  // Ends the wait of next() on another thread, and the stream.
  void shut();

 private:
  explicit HttpStream(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  http::ResponseParser parser_{http::ParserLimits()};
};

}  // namespace subito::bench
