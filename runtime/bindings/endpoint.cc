#include "runtime/bindings/endpoint.h"

#include <charconv>

namespace subito::bindings {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kRedis = "redis://";

tl::unexpected<Error> invalid(std::string_view address, std::string_view reason) {
  std::string message = "read address '";
  message.append(address).append("': ").append(reason);
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

Result<Endpoint> parse_unix(std::string_view address) {
  Endpoint endpoint;
  endpoint.unix_path = address.substr(kUnix.size());
  if (!endpoint.unix_path.starts_with('/')) return invalid(address, "the path is not absolute");
  if (endpoint.unix_path.size() > kUnixPathBytesMax) {
    return invalid(address, "the path of a Unix socket has at most 107 bytes");
  }
  if (endpoint.unix_path.find('\0') != std::string::npos) {
    return invalid(address, "the path contains a NUL byte");
  }
  return endpoint;
}

}  // namespace

std::string Endpoint::text() const {
  if (host.empty()) return std::string(kUnix) + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view address) {
  if (address.starts_with(kUnix)) return parse_unix(address);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return invalid(address, "no port");
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return invalid(address, "an IPv6 address stands in brackets");
  }
  if (host.empty()) return invalid(address, "no host");
  if (host.find('\0') != std::string_view::npos) return invalid(address, "a NUL byte in the host");
  Endpoint endpoint;
  endpoint.host = host;
  const std::string_view port = address.substr(colon + 1);
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, endpoint.port);
  if (error != std::errc() || stop != end || endpoint.port == 0) {
    return invalid(address, "the port is not a number from 1 to 65535");
  }
  return endpoint;
}

Result<RedisEndpoint> parse_redis_endpoint(std::string_view address) {
  if (address.starts_with(kRedis)) address.remove_prefix(kRedis.size());
  RedisEndpoint redis;
  // The last '@': a password may contain one, an address may not.
  const std::size_t at = address.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view login = address.substr(0, at);
    address.remove_prefix(at + 1);
    const std::size_t colon = login.find(':');
    // The address alone goes into the message: what stood before '@' is secret.
    if (colon == std::string_view::npos) return invalid(address, "a login is user:password");
    redis.user = login.substr(0, colon);
    redis.password = login.substr(colon + 1);
    if (redis.password.empty()) return invalid(address, "the password is empty");
  }
  ASSIGN_OR_RETURN(redis.endpoint, parse_endpoint(address));
  return redis;
}

}  // namespace subito::bindings
