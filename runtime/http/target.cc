#include "runtime/http/target.h"

#include "runtime/http/characters.h"

namespace subito::http {
namespace {

constexpr std::size_t kPortDigitsMax = 5;

bool is_valid_port(std::string_view port) {
  if (port.size() > kPortDigitsMax) return false;
  unsigned value = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

bool is_valid_ip_literal(std::string_view inside) {
  if (inside.empty()) return false;
  for (const char c : inside) {
    if (!is(kHexChar, c) && c != ':' && c != '.') return false;
  }
  return true;
}

// Removes "http://" or "https://" in any case; false if it is neither.
bool take_scheme(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      target.remove_prefix(scheme.size());
      return true;
    }
  }
  return false;
}

Rejection split_origin_form(std::string_view target, RequestHead& head) {
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  // Some readers take "\" for "/": no path has both.
  if (path.find('\\') != std::string_view::npos) return {400, "backslash in the path"};
  head.path = path.empty() ? std::string_view("/") : path;
  head.query = question == std::string_view::npos ? "" : target.substr(question + 1);
  return {};
}

}  // namespace

bool is_valid_authority(std::string_view authority) {
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    if (!is_valid_ip_literal(authority.substr(1, close - 1))) return false;
    port = authority.substr(close + 1);
    if (port.empty()) return true;
    return port.front() == ':' && is_valid_port(port.substr(1));
  }
  const std::size_t colon = authority.find(':');
  const std::string_view host = authority.substr(0, colon);
  if (host.empty() || !all_are(kHostChar, host)) return false;
  return colon == std::string_view::npos || is_valid_port(authority.substr(colon + 1));
}

Rejection split_target(std::string_view target, RequestHead& head) {
  if (head.method == "CONNECT") return {501, "CONNECT is not served here"};
  if (target == "*") {
    if (head.method != "OPTIONS") return {400, "the target \"*\" is for OPTIONS alone"};
    head.path = "*";
    return {};
  }
  if (target.front() == '/') return split_origin_form(target, head);
  if (!take_scheme(target)) return {400, "invalid request target"};
  const std::size_t end = target.find_first_of("/?\\");
  const std::string_view authority = target.substr(0, end);
  if (!is_valid_authority(authority)) return {400, "invalid authority in the request target"};
  head.host = authority;
  return split_origin_form(end == std::string_view::npos ? "" : target.substr(end), head);
}

}  // namespace subito::http
