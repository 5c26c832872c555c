#include "runtime/gateway/routes.h"

#include <algorithm>

namespace subito::gateway {
namespace {

constexpr std::string_view kFunctionPrefix = "/function/";
const std::string kDefaultNamespace = "default";
constexpr std::size_t kHostBytesMax = 253;  // RFC 1035, 2.3.4

bool is_dot(std::string_view segment, std::size_t& at) {
  if (at < segment.size() && segment[at] == '.') {
    ++at;
    return true;
  }
  const std::string_view escaped = segment.substr(at, 3);
  if (escaped == "%2e" || escaped == "%2E") {
    at += 3;
    return true;
  }
  return false;
}

// "." and "..", also percent-encoded.
bool is_dot_segment(std::string_view segment) {
  std::size_t at = 0;
  int dots = 0;
  while (dots < 2 && is_dot(segment, at)) ++dots;
  return dots > 0 && at == segment.size();
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    if (is_dot_segment(segment)) return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

std::string rest_of(std::string_view path, std::size_t prefix_size) {
  const std::string_view rest = path.substr(prefix_size);
  return rest.empty() ? "/" : std::string(rest);
}

// Of "stock.staging" the "staging".
std::string namespace_in(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? kDefaultNamespace : std::string(name.substr(dot + 1));
}

}  // namespace

void Routes::add_function(const std::string& name, FunctionId function) {
  functions_[name] = function;
}

Status Routes::add_route(const std::string& prefix, bool strip_prefix,
                         const std::string& function_name, FunctionId function) {
  const std::string name_space = namespace_in(function_name);
  const bool is_default = name_space == kDefaultNamespace;
  Site& site = is_default ? default_site_ : sites_[name_space];
  const auto number = static_cast<std::uint32_t>(names_.size());
  const auto [it, added] =
      site.routes.try_emplace(prefix, Route{function, function_name, strip_prefix, number});
  if (!added && it->second.function != function) {
    return fail(ErrorCode::kAlreadyExists, "add route " + prefix + ": it belongs to function " +
                                               it->second.function_name +
                                               "; delete that one or choose another path");
  }
  if (added) names_.push_back(is_default ? prefix : name_space + ":" + prefix);
  site.longest_route = std::max(site.longest_route, prefix.size());
  return ok();
}

void Routes::add_host(const std::string& host, const std::string& name_space) {
  hosts_[host] = name_space;
}

// "Staging.localhost.:8080" is staging's.
const std::string& Routes::namespace_of(std::string_view host) const {
  host = host.substr(0, host.find(':'));
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.empty() || host.size() > kHostBytesMax) return kDefaultNamespace;
  std::string name(host);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto found = hosts_.find(name);
  return found == hosts_.end() ? kDefaultNamespace : found->second;
}

const Routes::Site& Routes::site_of(const std::string& name_space) const {
  static const Site kNone;
  if (name_space == kDefaultNamespace) return default_site_;
  const auto found = sites_.find(name_space);
  return found == sites_.end() ? kNone : found->second;
}

Result<Target> Routes::find(std::string_view path, std::string_view host) const {
  if (path.empty() || path[0] != '/') {
    return fail(ErrorCode::kNotFound, "find function: the path does not begin with /");
  }
  if (has_dot_segment(path)) {
    return fail(ErrorCode::kInvalidArgument,
                "find function: the path has dot segments; send it without");
  }
  const std::string& name_space = hosts_.empty() ? kDefaultNamespace : namespace_of(host);
  if (path.starts_with(kFunctionPrefix)) return find_by_name(path, name_space);
  const Site& site = hosts_.empty() ? default_site_ : site_of(name_space);
  // Nothing longer than the longest route can match: a path of 8,192 slashes costs no more steps
  // than that route has segments.
  std::string prefix(path.substr(0, site.longest_route + 1));
  if (prefix.size() < path.size()) prefix.resize(std::max<std::size_t>(prefix.rfind('/'), 1));
  while (true) {
    if (const auto it = site.routes.find(prefix); it != site.routes.end()) {
      const std::size_t strip = it->second.strip_prefix && prefix != "/" ? prefix.size() : 0;
      return Target{it->second.function, rest_of(path, strip), it->second.number};
    }
    if (prefix == "/") break;
    const std::size_t slash = prefix.rfind('/');
    prefix.resize(slash == 0 ? 1 : slash);
  }
  return fail(ErrorCode::kNotFound,
              "find function: no route matches " + std::string(path) +
                  "; a function answers at /function/NAME, and at paths of its own if its manifest "
                  "has them (`subito explain spec.routes`): `subito get functions -o wide` lists "
                  "both");
}

Result<Target> Routes::find_by_name(std::string_view path, const std::string& name_space) const {
  const std::string_view after = path.substr(kFunctionPrefix.size());
  const std::string_view segment = after.substr(0, after.find('/'));
  const std::size_t dot = segment.find('.');
  const std::string_view wanted =
      dot == std::string_view::npos ? std::string_view(name_space) : segment.substr(dot + 1);
  std::string name(segment.substr(0, dot));
  if (wanted != kDefaultNamespace) name.append(".").append(wanted);
  const auto it = functions_.find(name);
  if (it == functions_.end()) {
    return fail(ErrorCode::kNotFound,
                "find function " + std::string(segment) +
                    ": there is none that answers here; `subito get functions` lists what is "
                    "there");
  }
  return Target{it->second, rest_of(path, kFunctionPrefix.size() + segment.size())};
}

}  // namespace subito::gateway
