// Endpoint: where the far end of a binding is, as users write it: "host:port", "[::1]:6379" or
// "unix:/path". RedisEndpoint: the same with a login in front. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::bindings {

struct Endpoint {
  std::string host;          // a numeric address or a name; empty when it is a Unix socket
  std::uint16_t port = 0;    // 1 to 65535 with a host
  std::string unix_path;     // absolute, at most kUnixPathBytesMax bytes
  std::string text() const;  // as it was written
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// sockaddr_un has 108 bytes, the final NUL included (unix(7)).
constexpr std::size_t kUnixPathBytesMax = 107;

// kInvalidArgument: "read address 'cache': no port".
Result<Endpoint> parse_endpoint(std::string_view address);

struct RedisEndpoint {
  Endpoint endpoint;
  std::string user;      // empty: "default"
  std::string password;  // empty: do not log in
};

// "[redis://][[user]:password@]ADDRESS", ADDRESS as above.
Result<RedisEndpoint> parse_redis_endpoint(std::string_view address);

}  // namespace subito::bindings
