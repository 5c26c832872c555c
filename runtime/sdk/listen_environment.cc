#include "runtime/sdk/listen_environment.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "runtime/sdk/text.h"

namespace subito::sdk {
namespace {

constexpr std::uint16_t kExamplePort = 9000;  // where there is no usual one
constexpr std::size_t kSecretFileBytesMax = 1 << 20;
constexpr std::string_view kSetting = "SETTING_";

// Why a host is none, for what is reached at `port`.
std::string no_address(std::string_view host, std::uint16_t port) {
  const std::string shown = ":" + std::to_string(port != 0 ? port : kExamplePort);
  if (const auto number = parse_number(host))
    return "it is a port without a host; write 127.0.0.1:" + std::to_string(*number);
  return "the host is not an IP address, and a function resolves no names; write 127.0.0.1" +
         shown + ", localhost" + shown + ", [::1]" + shown + " or unix:/path";
}

std::string variable_name(std::string_view prefix, std::string_view name, std::string_view suffix) {
  std::string out(prefix);
  for (const char c : name) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += lower ? static_cast<char>(c - 'a' + 'A') : kept ? c : '_';
  }
  out += suffix;
  return out;
}

std::optional<std::string> read_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Without what stands before '@': it may be a password.
Error bad_address(std::string_view text, const std::string& reason) {
  const std::string_view shown = text.substr(text.rfind('@') + 1);
  return Error{ErrorCode::kInvalidArgument, "read address " + std::string(shown) + ": " + reason,
               0};
}

// The address that a variable holds. Whoever set it is told which one is wrong.
std::optional<Endpoint> endpoint_in(const std::string& variable, std::uint16_t port) {
  const auto text = read_variable(variable);
  if (!text) return std::nullopt;
  auto endpoint = parse_endpoint(*text, port);
  if (!endpoint) throw std::runtime_error("use " + variable + ": " + endpoint.error().message);
  return *std::move(endpoint);
}

// "user:pass@" in front, as in URLs; percent-encoded.
void take_user(std::string_view& text, Endpoint& endpoint) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return;
  const std::string_view user = text.substr(0, at);
  const auto colon = user.find(':');
  endpoint.user = percent_decode(user.substr(0, colon), false);
  if (colon != std::string_view::npos) {
    endpoint.password = percent_decode(user.substr(colon + 1), false);
  }
  text.remove_prefix(at + 1);
}

Result<Endpoint> parse_unix(std::string_view text) {
  std::string_view path = text;
  if (path.starts_with("unix:")) path.remove_prefix(5);
  Endpoint endpoint;
  if (path.starts_with("//")) {
    path.remove_prefix(2);
    std::string_view user = path.substr(0, path.find('/'));
    if (user.ends_with('@')) {
      path.remove_prefix(user.size());
      take_user(user, endpoint);
    }
  }
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return bad_address(text, "a socket's path has 1 to 107 bytes");
  }
  endpoint.path = path;
  return endpoint;
}

// An IP address without brackets, or empty.
std::string numeric_host(std::string_view text) {
  if (text == "localhost") return "127.0.0.1";
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::string host(text);
  unsigned char parsed[sizeof(in6_addr)];
  const bool known = ::inet_pton(AF_INET, host.c_str(), parsed) == 1 ||
                     ::inet_pton(AF_INET6, host.c_str(), parsed) == 1;
  return known ? host : std::string();
}

Result<UniqueFd> connect_to(const sockaddr* address, socklen_t size) {
  UniqueFd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return errno_error("make socket");
  const int on = 1;
  if (address->sa_family != AF_UNIX) {
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(fd.get(), address, size) != 0 && errno != EINPROGRESS) {
    return errno_error("connect");
  }
  return fd;
}

}  // namespace

std::optional<std::string> environment(std::string_view prefix, std::string_view name,
                                       std::string_view suffix) {
  return read_variable(variable_name(prefix, name, suffix));
}

std::optional<std::string> environment_setting(std::string_view name) {
  if (auto value = environment(kSetting, name)) return value;
  return read_variable(std::string(name));
}

std::optional<std::string> environment_secret(std::string_view name, std::string_view key) {
  std::string both(name);
  if (key != "value") both.append("_").append(key);
  if (auto value = environment("SECRET_", both)) return value;
  const auto path = environment("SECRET_", both, "_FILE");
  if (!path) return std::nullopt;
  const UniqueFd file(::open(path->c_str(), O_RDONLY | O_CLOEXEC));
  std::string value(kSecretFileBytesMax, '\0');
  const ssize_t size = file.valid() ? ::read(file.get(), value.data(), value.size()) : -1;
  if (size < 0) throw std::runtime_error("read secret " + both + ": " + std::strerror(errno));
  value.resize(static_cast<std::size_t>(size));
  return value;
}

std::vector<std::string> unread_settings(const char* const* variables) {
  std::vector<std::string> warnings;
  for (; variables != nullptr && *variables != nullptr; ++variables) {
    const std::string_view variable(*variables);
    const std::string_view name = variable.substr(0, variable.find('='));
    if (!name.starts_with(kSetting)) continue;
    const std::string read = variable_name(kSetting, name.substr(kSetting.size()), {});
    if (read == name) continue;
    warnings.push_back(std::string(name) +
                       " is read by no setting; names are in capitals: " + read);
  }
  return warnings;
}

std::optional<Endpoint> redis_endpoint(std::string_view binding) {
  auto own = endpoint_in(variable_name("REDIS_URL_", binding, ""), 6379);
  return own ? own : endpoint_in("REDIS_URL", 6379);
}

std::optional<Endpoint> tcp_endpoint(std::string_view binding) {
  return endpoint_in(variable_name("TCP_", binding, "_ADDRESS"), 0);
}

std::optional<Endpoint> call_endpoint(std::string_view function) {
  return endpoint_in(variable_name("CALL_", function, "_URL"), 80);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  if (text.starts_with("unix:") || text.starts_with("/")) return parse_unix(text);
  const std::string_view whole = text;
  Endpoint endpoint;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  }
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    endpoint.base = text.substr(slash);
    while (endpoint.base.ends_with('/')) endpoint.base.pop_back();
    text = text.substr(0, slash);
  }
  take_user(text, endpoint);
  const auto colon = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  std::optional<std::uint64_t> port = default_port;
  if (colon != std::string_view::npos) port = parse_number(text.substr(colon + 1));
  if (!port || *port > std::numeric_limits<std::uint16_t>::max()) {
    return bad_address(whole, "the port is not a number from 0 to 65535");
  }
  endpoint.port = static_cast<std::uint16_t>(*port);
  endpoint.host = numeric_host(text.substr(0, colon));
  if (endpoint.host.empty())
    return bad_address(whole, no_address(text.substr(0, colon), endpoint.port));
  return endpoint;
}

Result<UniqueFd> begin_connect(const Endpoint& endpoint) {
  if (endpoint.host.empty()) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, endpoint.path.data(), endpoint.path.size());
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  sockaddr_in v4 = {};
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    return connect_to(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  ::inet_pton(AF_INET6, endpoint.host.c_str(), &v6.sin6_addr);
  return connect_to(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

}  // namespace subito::sdk
