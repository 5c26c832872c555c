// HTTP messages as the rest of the runtime sees them: heads only, bodies go past in pieces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace subito::http {

// Names in lower case, values without surrounding white space, in the order they came.
using Fields = std::vector<std::pair<std::string, std::string>>;

// The first value of that name (given in lower case), or null.
const std::string* find_field(const Fields& fields, std::string_view name);

struct RequestHead {
  std::string method;  // "GET"; only methods that llhttp knows pass
  std::string path;    // "/a%20b": as sent, begins with "/", "*" for OPTIONS *
  std::string query;   // behind "?", as sent
  std::string host;    // of the Host field, or of an absolute target
  Fields fields;       // without hop-by-hop fields (Connection and what it names, Keep-Alive, TE,
                       // Trailer, Transfer-Encoding, Upgrade, Proxy-*), Content-Length and Expect
  std::optional<std::uint64_t> content_length;  // empty: chunked, or no body
  bool chunked = false;
  int minor_version = 1;
};

struct ResponseHead {
  int status = 200;
  Fields fields;  // Content-Length, Transfer-Encoding and Connection are the writer's and dropped
  std::optional<std::uint64_t> content_length;
};

std::string_view reason_phrase(int status);

}  // namespace subito::http
