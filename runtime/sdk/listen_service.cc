#include "runtime/sdk/listen_service.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace subito::sdk {
namespace {

constexpr std::string_view kByName = "/function/";

Response no_such_function(const Request& request, Context&) {
  return Response::problem(404, "not-found", "no function of this process has " + request.path());
}

// Whether `path` is `prefix` or below it, by whole segments.
bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

[[noreturn]] void throw_claimed_twice(const std::string& what) {
  throw std::invalid_argument("serve functions in one process: two have " + what +
                              "; give each its own");
}

}  // namespace

ListenService::ListenService(const std::string& name, const Handler& handler)
    : nobody_("nobody", no_such_function), whole_(true) {
  functions_.emplace_back(name, handler);
}

ListenService::ListenService(std::vector<Service> services)
    : nobody_("nobody", no_such_function), whole_(false) {
  for (Service& service : services) {
    if (function(service.name) != nullptr) throw_claimed_twice("the name " + service.name);
    functions_.emplace_back(service.name, std::move(service.handler));
    for (std::string& route : service.routes) {
      if (route.ends_with('/')) route.pop_back();
      for (const Route& other : routes_) {
        if (other.prefix == route) throw_claimed_twice("the route " + route + "/");
      }
      routes_.push_back({std::move(route), &functions_.back()});
    }
  }
  std::stable_sort(routes_.begin(), routes_.end(), [](const Route& a, const Route& b) {
    return a.prefix.size() > b.prefix.size();
  });
}

ListenService::Target ListenService::find(std::string_view path) {
  if (whole_) return {functions_.front(), std::string(path)};
  if (path.starts_with(kByName)) {
    const std::string_view rest = path.substr(kByName.size());
    const auto end = std::min(rest.find('/'), rest.size());
    ListenFunction* const named = function(rest.substr(0, end));
    const std::string_view below = rest.substr(end);
    return {named != nullptr ? *named : nobody_, std::string(below.empty() ? "/" : below)};
  }
  for (const Route& route : routes_) {
    if (is_below(path, route.prefix)) return {*route.function, std::string(path)};
  }
  return {nobody_, std::string(path)};
}

ListenFunction* ListenService::function(std::string_view name) {
  const auto at = std::find_if(functions_.begin(), functions_.end(),
                               [name](const ListenFunction& one) { return one.name == name; });
  return at == functions_.end() ? nullptr : &*at;
}

}  // namespace subito::sdk
