#include "runtime/gateway/routes.h"

#include <algorithm>

namespace subito::gateway {
namespace {

constexpr std::string_view kFunctionPrefix = "/function/";
constexpr std::string_view kDefaultNamespace = "default";

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

}  // namespace

void Routes::add_function(const std::string& name, FunctionId function) {
  functions_[name] = function;
}

Status Routes::add_route(const std::string& prefix, bool strip_prefix,
                         const std::string& function_name, FunctionId function) {
  const auto number = static_cast<std::uint32_t>(names_.size());
  const auto [it, added] =
      routes_.try_emplace(prefix, Route{function, function_name, strip_prefix, number});
  if (!added && it->second.function != function) {
    return fail(ErrorCode::kAlreadyExists, "add route " + prefix + ": it belongs to function " +
                                               it->second.function_name +
                                               "; delete that one or choose another path");
  }
  if (added) names_.push_back(prefix);
  longest_route_ = std::max(longest_route_, prefix.size());
  return ok();
}

Result<Target> Routes::find(std::string_view path) const {
  if (path.empty() || path[0] != '/') {
    return fail(ErrorCode::kNotFound, "find function: the path does not begin with /");
  }
  if (has_dot_segment(path)) {
    return fail(ErrorCode::kInvalidArgument,
                "find function: the path has dot segments; send it without");
  }
  if (path.starts_with(kFunctionPrefix)) return find_by_name(path);
  // Nothing longer than the longest route can match: a path of 8,192 slashes costs no more steps
  // than that route has segments.
  std::string prefix(path.substr(0, longest_route_ + 1));
  if (prefix.size() < path.size()) prefix.resize(std::max<std::size_t>(prefix.rfind('/'), 1));
  while (true) {
    if (const auto it = routes_.find(prefix); it != routes_.end()) {
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

Result<Target> Routes::find_by_name(std::string_view path) const {
  const std::string_view after = path.substr(kFunctionPrefix.size());
  const std::string_view segment = after.substr(0, after.find('/'));
  const std::size_t dot = segment.find('.');
  const std::string name(segment.substr(0, dot));
  const std::string_view name_space =
      dot == std::string_view::npos ? kDefaultNamespace : segment.substr(dot + 1);
  const auto it = functions_.find(name);
  if (it == functions_.end() || name_space != kDefaultNamespace) {
    return fail(ErrorCode::kNotFound,
                "find function " + std::string(segment) +
                    ": there is none that answers here; `subito get functions` lists what is "
                    "there");
  }
  return Target{it->second, rest_of(path, kFunctionPrefix.size() + segment.size())};
}

}  // namespace subito::gateway
