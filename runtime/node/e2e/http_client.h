// HttpClient: one connection to a node, for tests: whole requests, raw bytes, and bodies of any
// size that go both ways at once. Everything ends within the patience it was made with; a failure
// is a response with `error` set. Used by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/unique_fd.h"
#include "runtime/http/response_parser.h"
#include "runtime/node/e2e/process.h"

namespace subito::e2e {

struct HttpResponse {
  int status = 0;
  http::Fields fields;
  std::string body;     // empty when somebody else took it
  bool kept = false;    // the connection may be used again
  std::string error;    // why there is no (whole) answer
  bool closed = false;  // the far end closed before the first byte of an answer

  bool whole() const { return error.empty(); }
  std::string field(std::string_view name) const;
};

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port, milliseconds patience = kPatience);

  bool connected() const { return fd_.valid(); }
  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }

  // Bytes as they stand. False: the far end does not take them, or not in time.
  bool write(std::string_view bytes);
  HttpResponse read(bool no_body = false);
  HttpResponse request(const std::string& method, const std::string& target,
                       const std::string& body = {}, const http::Fields& fields = {});
  HttpResponse get(const std::string& target) { return request("GET", target); }
  HttpResponse post(const std::string& target, const std::string& body) {
    return request("POST", target, body);
  }

  struct Transfer {
    std::string head;                // of the request, up to and with the empty line
    std::uint64_t upload_bytes = 0;  // of piece_at(), which goes up
    bool chunked = false;
    std::function<void(std::string_view)> on_body;  // what comes down, while it still goes up
  };
  HttpResponse transfer(const Transfer& transfer);
  // What the body of a transfer has at that offset: a pattern that shows what was lost or doubled.
  static std::string piece_at(std::uint64_t offset, std::size_t size);

 private:
  bool wait_for(short events) const;
  bool read_more();
  // Takes what has come; true when the answer is complete or will never be.
  bool advance(HttpResponse& response, const std::function<void(std::string_view)>& on_body);
  bool send_some(std::string& out);

  UniqueFd fd_;
  milliseconds patience_;
  SteadyClock::time_point end_;  // of what is done now
  http::ResponseParser parser_;
  std::string in_;
  bool ended_ = false;
};

// A request with a length, as bytes.
std::string request_bytes(const std::string& method, const std::string& target,
                          const std::string& body = {}, const http::Fields& fields = {});

}  // namespace subito::e2e
